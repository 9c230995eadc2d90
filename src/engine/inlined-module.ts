/** WebAssembly that the build has inlined, so that no bundler, server or loader has to find a file. */

/** Compiles a module from base64. */
export function moduleOf(base64: string): WebAssembly.Module {
  const characters = atob(base64);
  const bytes = new Uint8Array(characters.length);
  // `Uint8Array.from` would make a string of each byte.
  for (let i = 0; i < bytes.length; i++) bytes[i] = characters.charCodeAt(i);
  return new WebAssembly.Module(bytes);
}
