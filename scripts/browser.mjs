// The library as one module for pages that have no bundler: core, machines, stories and traces, with what they need of
// other packages inside. Readers of .xz and .zip are chunks that are loaded when they are needed.
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { build } from "esbuild";
import { ROOT } from "./install.mjs";

const ENTRIES = ["index.js", "machine/index.js", "scenario/index.js", "trace/index.js"];

/** Bundles a compiled package at `folder` into its `browser/`. */
export async function bundleForBrowsers(folder) {
  const { metafile } = await build({
    stdin: { contents: exportsOf("./"), resolveDir: folder, sourcefile: "setway.js" },
    bundle: true,
    format: "esm",
    splitting: true,
    minify: true,
    platform: "browser",
    target: "es2022",
    alias: { "#platform": `${folder}/trace/platform.web.js` },
    outdir: `${folder}/browser`,
    entryNames: "setway",
    chunkNames: "[name]-[hash]",
    absWorkingDir: ROOT,
    // The repository's own settings are about src/.
    tsconfigRaw: {},
    metafile: true,
    logLevel: "warning",
  });
  await mkdir(`${folder}/browser`, { recursive: true });
  await writeFile(`${folder}/browser/setway.d.ts`, exportsOf("../"));
  await writeFile(`${folder}/browser/LICENSES.txt`, await licences(Object.keys(metafile.inputs)));
}

const exportsOf = (base) => ENTRIES.map((entry) => `export * from "${base}${entry}";\n`).join("");

/** The licences of all packages that these files belong to. */
async function licences(files) {
  const names = files.map((file) => /(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1]);
  const texts = [...new Set(names.filter((name) => name !== undefined))].sort().map(async (name) => {
    const place = `${ROOT}/node_modules/${name}`;
    const file = ["LICENSE", "LICENSE.md", "LICENSE.txt"].find((each) => existsSync(`${place}/${each}`));
    const { version, license, repository } = JSON.parse(await readFile(`${place}/package.json`, "utf8"));
    const text = file === undefined ? `See ${repository.url}` : (await readFile(`${place}/${file}`, "utf8")).trim();
    return `${name} ${version} (${license})\n\n${text}\n`;
  });
  return (await Promise.all(texts)).join(`\n${"-".repeat(80)}\n\n`);
}
