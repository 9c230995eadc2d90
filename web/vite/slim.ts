/**
 * Vite plugins that leave out of the page what it never runs: the kernel with versions (pages play with bytes, or with tags
 * alone), and of the zip library what writes, and its inflaters in WebAssembly.
 */
import { createRequire } from "node:module";
import { dirname } from "node:path";
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
const READER = "\0setway:zip-reader";

/** The part of the library that reads, with the browser's own inflater: less than a third of the whole. */
export function slimZip(): Plugin {
  const library = dirname(createRequire(import.meta.url).resolve(`${ZIP}/package.json`));
  return {
    name: "setway:slim-zip",
    enforce: "pre",
    resolveId: (id) => (id === ZIP ? READER : null),
    load: (id) =>
      id === READER
        ? [
            `export { ZipReader } from ${JSON.stringify(`${library}/lib/zip-core-reader.js`)};`,
            `export { Reader } from ${JSON.stringify(`${library}/lib/core/io.js`)};`,
          ].join("\n")
        : null,
  };
}
