/** Does a command line load what its verb needs, and not what only others need? */
import { build } from "esbuild";
import { expect, it } from "vitest";

/** All modules that the command can come to load, and what each imports. */
const { metafile } = await build({
  entryPoints: ["src/cli/main.ts"],
  bundle: true,
  splitting: true,
  packages: "external",
  format: "esm",
  platform: "node",
  alias: { "#platform": "./src/trace/platform.node.ts" },
  outdir: "out",
  write: false,
  metafile: true,
  logLevel: "silent",
});

/** Files and packages that a module loads before it runs. */
function loadedBy(entry: string): { readonly files: readonly string[]; readonly packages: readonly string[] } {
  const files = new Set([entry]);
  const packages = new Set<string>();
  for (const file of files) {
    for (const { path, kind, external } of metafile.inputs[file]?.imports ?? []) {
      if (kind !== "import-statement") continue;
      if (external === true) packages.add(path);
      else files.add(path);
    }
  }
  return {
    files: [...files].filter((file) => file !== entry),
    packages: [...packages].filter((name) => !name.startsWith("node:")).sort(),
  };
}

const foldersOf = (files: readonly string[]): ReadonlySet<string | undefined> =>
  new Set(files.map((file) => /^src\/(\w+)/.exec(file)?.[1]));

it("the version needs a dozen files, and no package but the one that parses", () => {
  const { files, packages } = loadedBy("src/cli/main.ts");
  expect(packages).toEqual(["commander"]);
  expect(files.length).toBeGreaterThan(5);
  expect(files.length).toBeLessThan(15);
});

it("a replay needs neither stories nor studies nor guests, nor a reader of YAML", () => {
  const { files, packages } = loadedBy("src/cli/replay.ts");
  expect(packages).toEqual(["commander", "zod/mini"]);
  expect([...foldersOf(files)].sort()).toEqual(["cli", "engine", "machine", "report", "shard", "trace"]);
});

it("a conversion needs no engine to play on", () => {
  expect(loadedBy("src/cli/convert.ts").files).not.toContain("src/engine/kernel.ts");
});
