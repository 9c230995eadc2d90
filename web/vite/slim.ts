/**
 * Vite plugins that leave out of the page what it never runs: the kernel with versions (pages play with bytes, or with tags
 * alone), and zip archives, whose library weighs as much as all kernels.
 */
import type { Plugin } from "vite";

export function slimKernels(): Plugin {
  return {
    name: "setway:slim-kernels",
    transform(code, id) {
      if (!id.endsWith("/src/engine/kernel-binary.ts")) return null;
      return { code: code.replace(/^\s*versions: "[^"]*",$/m, '  versions: "",'), map: null };
    },
  };
}

const ZIP = "@zip.js/zip.js";
const STUB = "\0setway:no-zip";

export function noZip(): Plugin {
  return {
    name: "setway:no-zip",
    enforce: "pre",
    resolveId: (id) => (id === ZIP ? STUB : null),
    load: (id) =>
      id === STUB
        ? [
            "const refuse = () => { throw new Error('the page reads no zip archives: unpack it first'); };",
            "export class Reader { constructor() { refuse(); } }",
            "export class ZipReader { constructor() { refuse(); } }",
          ].join("\n")
        : null,
  };
}
