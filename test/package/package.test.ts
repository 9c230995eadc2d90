/**
 * Does the package hold what its users need, does it run where they have nothing else, and does a bundle of it carry no
 * more than what it uses? (Needs the build.) `SETWAY_UPDATE_DOCS=1` rewrites the table of sizes in docs/embedding.md.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { gzipSync } from "node:zlib";
import { build, type Platform } from "esbuild";
import { afterAll, describe, expect, it } from "vitest";
import { fetch, load, records, store } from "../../src/engine/record.ts";
import { generatedPart, readPage, table } from "../docs/page.ts";
import {
  DEPENDENCIES,
  EXAMPLES,
  isBuilt,
  type Packed,
  type Project,
  pack,
  projectIn,
  README_SAYS,
  ROOT,
  readmeProgram,
} from "./packed.ts";

/** What a program imports, how large a minified bundle of it may be, and which packages it brings along. */
const BUNDLES: readonly {
  readonly what: string;
  readonly code: string;
  readonly mostKilobytes: number;
  readonly packages: readonly string[];
}[] = [
  {
    what: "one engine",
    code: 'export { createKernel, load, records, store } from "setway"',
    mostKilobytes: 180,
    packages: [],
  },
  { what: "all of the core", code: 'export * from "setway"', mostKilobytes: 234, packages: [] },
  { what: "the presets", code: 'export { presets } from "setway/machine"', mostKilobytes: 6, packages: [] },
  {
    what: "machines from objects",
    code: 'export { resolveMachine } from "setway/machine"',
    mostKilobytes: 22,
    packages: ["zod"],
  },
  {
    what: "machines by name and from text",
    code: 'export { loadMachine } from "setway/machine"',
    mostKilobytes: 60,
    packages: ["yaml", "zod"],
  },
  {
    what: "traces",
    code: 'export * from "setway/trace"',
    mostKilobytes: 31,
    packages: [],
  },
  {
    what: "stories",
    code: 'export { runStory, STORIES } from "setway/scenario"',
    mostKilobytes: 272,
    packages: ["zod"],
  },
];

const full = process.env.SETWAY_FULL === "1";

/** A minified bundle: what is loaded at once, in one text where that is one file; what is loaded when needed isn't in it. */
const bundle = async (code: string, { folder }: Project, platform: Platform = "browser") => {
  const { outputFiles, metafile } = await build({
    stdin: { contents: code, resolveDir: folder },
    absWorkingDir: folder,
    bundle: true,
    minify: true,
    splitting: true,
    format: "esm",
    platform,
    outdir: "out",
    write: false,
    metafile: true,
    logLevel: "silent",
  });
  const atOnce = new Set(["out/stdin.js"]);
  for (const path of atOnce) {
    for (const { path: next, kind } of metafile.outputs[path]?.imports ?? []) {
      if (kind === "import-statement") atOnce.add(next);
    }
  }
  const carried = [...atOnce].flatMap((path) => Object.keys(metafile.outputs[path]?.inputs ?? {}));
  const names = carried.map((path) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1]);
  const isAtOnce = ({ path }: { path: string }) => atOnce.has(relative(folder, path).replaceAll("\\", "/"));
  return {
    text: outputFiles
      .filter(isAtOnce)
      .map(({ text }) => text)
      .join("\n"),
    /** Of setway. */
    inputs: carried.flatMap((path) => /node_modules\/setway\/(.*)/.exec(path)?.[1] ?? []),
    packages: [...new Set(names.filter((name) => name !== undefined && name !== "setway"))].sort(),
  };
};

describe.skipIf(!isBuilt)("the package", () => {
  let once: Packed | undefined;
  const packed = (): Packed => {
    once ??= pack();
    return once;
  };
  afterAll(() => once?.remove());
  let installed: Project | undefined;
  /** With all that setway depends on. */
  const complete = (): Project => {
    installed ??= packed().project(DEPENDENCIES);
    return installed;
  };

  it("holds the library, the command, its manual, the kernels, the trace, examples and licences, and no sources", () => {
    const { files } = packed();
    for (const path of [
      "dist/index.js",
      "dist/index.d.ts",
      "dist/machine/index.js",
      "dist/trace/index.js",
      "dist/browser/setway.js",
      "dist/browser/setway.d.ts",
      "dist/browser/LICENSES.txt",
      "dist/cli/main.js",
      "dist/setway.1",
      "dist/kernel.wasm",
      "dist/kernel.wasm.d.ts",
      "dist/kernel-tags.wasm",
      "dist/report.schema.json",
      "docs/semantics.md",
      "docs/trace-format.md",
      "examples/stale-read.mjs",
      "LICENSE",
      "README.md",
    ]) {
      expect(files).toContain(path);
    }
    expect(files.filter((path) => /^(src|assembly|test|scripts|bench)\//.test(path))).toEqual([]);
  });

  it("runs the README's code and the command, each in one line", () => {
    expect(readmeProgram().trim().split("\n")).toHaveLength(5);
    const project = complete();
    project.write("readme.mjs", readmeProgram());
    const { status, stdout, stderr } = project.run(["readme.mjs"]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    for (const said of README_SAYS) expect(stdout).toContain(said);
    const examined = project.run(["node_modules/setway/dist/cli/main.js", "doctor"]);
    expect(examined.stdout).toContain("setway works here");
    expect(examined).toMatchObject({ status: 0, stderr: "" });
  });

  it("needs no other package for the core and for traces", () => {
    const project = packed().project();
    project.write(
      "core.mjs",
      `import { createReference, records, store } from "setway";
       import { bytesInto, createTrace, openTrace } from "setway/trace";
       const file = bytesInto("t.swt");
       const sink = await createTrace(file);
       await sink.write(records(store(0, 0x1000)));
       await sink.close();
       const trace = await openTrace(file.bytes());
       for await (const batch of trace.batches()) console.log(batch.length, typeof createReference);`,
    );
    expect(project.run(["core.mjs"])).toEqual({ status: 0, stdout: "2 function\n", stderr: "" });
  });

  it.each(BUNDLES)("a bundle of $what is no larger than said, and brings $packages", async (asked) => {
    const { text, packages } = await bundle(asked.code, complete());
    expect(packages).toEqual(asked.packages);
    expect(gzipSync(text).length / 1000).toBeLessThan(asked.mostKilobytes);
    // A budget that nobody comes near says nothing.
    expect(gzipSync(text).length / 1000).toBeGreaterThan(asked.mostKilobytes * 0.7);
  });

  it("the sizes in docs/embedding.md are these", () => {
    const wanted = table(
      ["imported", "gzipped, at most", "with it come"],
      BUNDLES.map(({ what, code, mostKilobytes, packages }) => [
        `${what}: \`${code.replace(/^export/, "import")}\``,
        `${mostKilobytes} kB`,
        packages.length === 0 ? "nothing" : packages.map((name) => `\`${name}\``).join(", "),
      ]),
    );
    const part = generatedPart(readPage("docs/embedding.md"), "sizes");
    if (process.env.SETWAY_UPDATE_DOCS === "1") part.replaceWith(wanted);
    else expect(part.found).toBe(wanted);
  });

  it("esbuild makes one file of the README's code, for browsers, without settings, and that runs", async () => {
    const { text, inputs } = await bundle(readmeProgram(), complete());
    expect(inputs.filter((path) => path.includes(".node.js"))).toEqual([]);
    const project = packed().project();
    project.write("bundled.mjs", text);
    const { status, stdout } = project.run(["bundled.mjs"]);
    expect(status).toBe(0);
    for (const said of README_SAYS) expect(stdout).toContain(said);
  });

  it.each([
    ["browser", "web"],
    ["node", "node"],
  ] as const)("esbuild for %s takes the platform %s", async (platform, twin) => {
    const { inputs } = await bundle('export { openTrace } from "setway/trace"', complete(), platform);
    const platforms = inputs.filter((path) => /platform\.\w+\.js$/.test(path));
    expect(platforms).toEqual([`dist/trace/platform.${twin}.js`]);
  });

  it("the browsers' module has every name of the entries that it is made of", () => {
    const program = `
      const names = async (path) => Object.keys(await import("./dist/" + path));
      const browser = await names("browser/setway.js");
      for (const entry of ["index.js", "machine/index.js", "scenario/index.js", "trace/index.js"]) {
        for (const name of await names(entry)) if (!browser.includes(name)) console.log(entry, name);
      }`;
    const { stdout, stderr } = projectIn(ROOT).run(["--input-type=module", "--eval", program]);
    expect({ stdout, stderr }).toEqual({ stdout: "", stderr: "" });
  });

  it("setway/kernel.wasm is the kernel that is inlined", () => {
    const inlined = readFileSync(join(ROOT, "dist/engine/kernel-binary.js"), "utf8");
    expect(inlined).toContain(readFileSync(join(ROOT, "dist/kernel.wasm")).toString("hex"));
    expect(inlined).toContain(readFileSync(join(ROOT, "dist/kernel-tags.wasm")).toString("hex"));
  });
});

describe.skipIf(!isBuilt)("the examples", () => {
  const SAYS: Readonly<Record<string, string>> = {
    "own-machine.mjs": "CLIDR_EL1 of my-board: 0xa200023",
    "replay-trace.mjs": "records; core 0 was served by { L1I:",
    "run-story.mjs": "map and unmap -> clean",
    "stale-read.mjs": README_SAYS[0] as string,
    "write-trace.mjs": "written by hand",
  };

  /** The whole boot takes seconds. */
  const small = join(mkdtempSync(join(tmpdir(), "setway-examples-")), "small.raw64");
  const GIVEN: Readonly<Record<string, readonly string[]>> = { "replay-trace.mjs": full ? [] : [small] };
  const words = records(store(0, 0x1000), load(0, 0x1000), fetch(0, 0x2000));
  writeFileSync(small, new Uint8Array(words.buffer, words.byteOffset, words.byteLength));
  afterAll(() => rmSync(dirname(small), { recursive: true, force: true }));

  it("are all tried", () => expect(EXAMPLES).toEqual(Object.keys(SAYS)));

  it.each(EXAMPLES)("%s is short, and says what it should", (name) => {
    const lines = readFileSync(join(ROOT, "examples", name), "utf8").split("\n");
    const statements = lines.filter((line) => !/^(\/\/|import |$|\})/.test(line));
    expect(statements.length).toBeLessThanOrEqual(5);
    const { status, stdout, stderr } = projectIn(ROOT).run([`examples/${name}`, ...(GIVEN[name] ?? [])]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toContain(SAYS[name]);
  });
});
