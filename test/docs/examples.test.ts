/**
 * Are README.md and docs/stories.md true? Their stories are played as files, their commands print what the pages say, and
 * their tables are those of the code. `SETWAY_UPDATE_DOCS=1` rewrites the tables.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { createJiti } from "jiti";
import { afterAll, describe, expect, it, vi } from "vitest";
import { ERAS, POLICY_STEPS } from "../../src/hypervisor/eras.ts";
import { STORIES } from "../../src/scenario/index.ts";
import { NEEDS } from "../../src/scenario/story.ts";
import { setway } from "../cli/capture.ts";
import { commandsOf, generatedPart, readPage, storyFiles, table } from "./page.ts";

const PAGES = ["README.md", "docs/stories.md"].map(readPage);
const [, STORIES_PAGE] = PAGES as [unknown, (typeof PAGES)[0]];
const FILES = storyFiles(STORIES_PAGE);

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Outside every project, as a user's own files may be. */
const FOLDER = mkdtempSync(join(tmpdir(), "setway-docs-"));
afterAll(() => rmSync(FOLDER, { recursive: true, force: true }));
const write = (name: string, text: string) => writeFileSync(join(FOLDER, name), text);
for (const [name, text] of FILES) write(name, text);

describe("generated tables", () => {
  const code = (words: readonly string[]) => words.map((word) => `\`${word}\``).join(" ");
  const tables: readonly (readonly [string, string])[] = [
    [
      "eras",
      table(
        ["era", ""],
        Object.entries(ERAS).map(([era, { summary }]) => [code([era]), summary]),
      ),
    ],
    [
      "steps",
      table(
        ["step", ""],
        Object.entries(POLICY_STEPS).map(([step, what]) => [code([step]), what]),
      ),
    ],
    [
      "needs",
      table(
        ["need", "else the machine..."],
        Object.entries(NEEDS).map(([need, { lacks }]) => [code([need]), lacks]),
      ),
    ],
    [
      "stories",
      table(
        ["", "story", "what happens", "machine", "eras", "fixes"],
        STORIES.map(({ number, name, title, machine, eras, fixes, traces }) => [
          String(number ?? ""),
          code([name]),
          traces === undefined ? title : `${title} (needs a recording)`,
          machine,
          eras.join(", "),
          code(Object.keys(fixes)),
        ]),
      ),
    ],
  ];

  it.each(tables)("the table of %s is the code's", (name, wanted) => {
    // Read again: an update of another table has changed it.
    const part = generatedPart(readPage(STORIES_PAGE.name), name);
    if (process.env.SETWAY_UPDATE_DOCS === "1") part.replaceWith(wanted);
    else expect(part.found).toBe(wanted);
  });
});

describe("the stories of docs/stories.md", () => {
  it("are three", () => {
    expect([...FILES.keys()]).toEqual(["boot-arguments.ts", "two-packets.ts", "tour.ts"]);
  });

  it.each([...FILES.keys()])("%s is as it expects, in every variant on every machine", async (name) => {
    const { code, stdout, stderr } = await setway(["run", join(FOLDER, name), "--matrix"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain("all as expected");
  });

  it("and the program, which plays one of the talk's", async () => {
    const code = /^```js\n([\s\S]*?)^```/m.exec(STORIES_PAGE.text)?.[1] ?? "";
    write("program.mjs", code);
    const alias = {
      "setway/machine": join(ROOT, "src/machine/index.ts"),
      "setway/scenario": join(ROOT, "src/scenario/index.ts"),
    };
    const log = vi.spyOn(console, "log").mockImplementation(() => {});
    await createJiti(import.meta.url, { fsCache: false, alias }).import(join(FOLDER, "program.mjs"));
    expect(log.mock.calls).toEqual([[["stale-dma", "mismatched-attributes"], []]]);
  });

  // The compiler takes seven seconds.
  it.runIf(process.env.SETWAY_FULL === "1")("have the types that the package declares", () => {
    write("package.json", '{ "type": "module" }');
    const paths = { setway: [join(ROOT, "src/index.ts")], "setway/machine": [join(ROOT, "src/machine/index.ts")] };
    const typeRoots = [join(ROOT, "node_modules/@types")];
    const compilerOptions = { noEmit: true, rootDir: "/", paths, typeRoots };
    write(
      "tsconfig.json",
      JSON.stringify({ extends: join(ROOT, "tsconfig.json"), compilerOptions, include: ["*.ts"] }),
    );
    const tsc = join(ROOT, "node_modules/typescript/bin/tsc");
    const { stdout } = spawnSync(process.execPath, [tsc, "-p", FOLDER], { encoding: "utf8" });
    expect(stdout).toBe("");
  });
});

describe("links", () => {
  it.each(PAGES)("of $name lead to pages that are there, and are packed", ({ name, text }) => {
    const { files } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { files: string[] };
    for (const [, link = ""] of text.matchAll(/\]\(([^)#:]+)\)/g)) {
      const path = join(dirname(name), link);
      expect(existsSync(join(ROOT, path)), path).toBe(true);
      expect(
        files.some((packed) => path.startsWith(packed)),
        path,
      ).toBe(true);
    }
  });
});

describe.each(PAGES.map((page) => ({ page: page.name, commands: commandsOf(page) })))("$page", ({ commands }) => {
  it.each(commands)("$line", async ({ line, printed }) => {
    const [program, ...args] = line.split(" ");
    if (program === "cat") return write(args[0] as string, `${printed.join("\n")}\n`);
    expect(program).toBe("setway");
    // Files of a page lie in the folder; names that are shown are as they were given.
    const inFolder = args.map((arg) => (/\.(ts|sh|yaml)$/.test(arg) ? join(FOLDER, arg) : arg));
    const { stdout, stderr } = await setway(inFolder);
    expect(stderr).toBe("");
    let rest = stdout.replaceAll(`${FOLDER}/`, "");
    for (const run of printed) {
      const at = rest.indexOf(run);
      if (at < 0) expect(rest).toContain(run);
      rest = rest.slice(at + run.length);
    }
  });
});
