/** WebAssembly that the build has inlined, so that no bundler, server or loader has to find a file. */

/** Compiles a module from base64. */
export const moduleOf = (base64: string): WebAssembly.Module =>
  new WebAssembly.Module(Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)));
