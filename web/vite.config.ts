/**
 * The explorer as static files: one page with its style, one script, and recordings that stories fetch when they need them.
 * The script is classic and carries its worker, so that the page works from a folder as well as from a server.
 */
import { cp, readdir, readFile } from "node:fs/promises";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { defineConfig, type Plugin } from "vite";
import { printedStories } from "./vite/printed-stories.ts";
import { slimKernels, slimZip } from "./vite/slim.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const OUT = `${ROOT}build/web`;

export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  base: "./",
  // Tests and builds have caches of their own under build/.
  cacheDir: `${ROOT}build/vite`,
  plugins: [...inside(), inlineStyle(), classicScript(), recordings()],
  worker: { format: "iife", plugins: inside },
  build: {
    outDir: OUT,
    emptyOutDir: true,
    target: "es2022",
    modulePreload: false,
    chunkSizeWarningLimit: 2000,
    rolldownOptions: { output: { format: "iife", entryFileNames: "[name].js", assetFileNames: "[name][extname]" } },
  },
});

/** What both the page's modules and the worker's go through. */
function inside(): Plugin[] {
  return [printedStories(ROOT), slimKernels(), slimZip()];
}

/** The style sheet inside the page: the first thing that is painted waits for nothing else. */
function inlineStyle(): Plugin {
  return {
    name: "setway:inline-style",
    apply: "build",
    transformIndexHtml: {
      order: "pre",
      async handler(html) {
        const own = await readFile(new URL("style.css", import.meta.url), "utf8");
        const chart = await readFile(`${ROOT}node_modules/uplot/dist/uPlot.min.css`, "utf8");
        const sheet = own.replace(/@import .*;/, chart);
        return html.replace('<link rel="stylesheet" href="./style.css" />', () => `<style>${minified(sheet)}</style>`);
      },
    },
  };
}

/** Without comments and without the space that only people need. */
const minified = (sheet: string): string =>
  sheet
    .replace(/\/\*[\s\S]*?\*\//g, "")
    .replace(/\s+/g, " ")
    .replace(/ ?([{};,]) ?/g, "$1");

/** A module from a folder is refused by browsers; a deferred script isn't. */
function classicScript(): Plugin {
  return {
    name: "setway:classic-script",
    apply: "build",
    enforce: "post",
    transformIndexHtml: (html) =>
      html.replace(/<script type="module" crossorigin src=/, "<script defer src=").replace(/ crossorigin(?= href)/, ""),
  };
}

/** The package's own recordings, beside the page. */
function recordings(): Plugin {
  return {
    name: "setway:recordings",
    configureServer(server) {
      server.middlewares.use("/traces", (request, response, next) => {
        readFile(`${ROOT}traces/${basename(request.url ?? "")}`).then((bytes) => response.end(bytes), next);
      });
    },
    async closeBundle() {
      for (const name of await readdir(`${ROOT}traces`)) {
        if (name.endsWith(".swt")) await cp(`${ROOT}traces/${name}`, `${OUT}/traces/${name}`);
      }
    },
  };
}
