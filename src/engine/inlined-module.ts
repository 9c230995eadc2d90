/** WebAssembly that the build has inlined, so that no bundler, server or loader has to find a file. */

/**
 * Compiles a module from hexadecimal digits. They take more room than base64, but less once a page is compressed: what repeats in a
 * module repeats in them.
 */
export function moduleOf(hexadecimal: string): WebAssembly.Module {
  const bytes = new Uint8Array(hexadecimal.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = (digit(hexadecimal, 2 * i) << 4) | digit(hexadecimal, 2 * i + 1);
  return new WebAssembly.Module(bytes);
}

/** Of 0 to 9 and a to f; what bit 6 of a code tells are the letters, which begin with 1 in their lower bits. */
function digit(text: string, at: number): number {
  const code = text.charCodeAt(at);
  return (code & 15) + 9 * (code >> 6);
}
