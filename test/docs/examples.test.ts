/**
 * Are README.md and the pages of docs/ true? Their stories are played as files, their programs and commands print what the
 * pages say, commands that are only shown can be typed, links lead somewhere, and the tables of docs/stories.md are those
 * of the code. `SETWAY_UPDATE_DOCS=1` rewrites the tables.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { format } from "node:util";
import { afterAll, describe, expect, it, vi } from "vitest";
import { everyCommand } from "../../src/cli/outline.ts";
import { programOutline } from "../../src/cli/program.ts";
import { ERAS, POLICY_STEPS } from "../../src/hypervisor/eras.ts";
import * as core from "../../src/index.ts";
import * as machine from "../../src/machine/index.ts";
import * as scenario from "../../src/scenario/index.ts";
import { NEEDS } from "../../src/scenario/story.ts";
import * as shard from "../../src/shard/index.node.ts";
import * as trace from "../../src/trace/index.ts";
import { setway } from "../cli/capture.ts";
import {
  commandsOf,
  fences,
  generatedPart,
  programsOf,
  readPage,
  run,
  shownCommands,
  storyFiles,
  table,
} from "./page.ts";

const DOCS = readdirSync(new URL("../../docs", import.meta.url)).filter((name) => name.endsWith(".md"));
const PAGES = ["README.md", ...DOCS.map((name) => `docs/${name}`)].map(readPage);
const STORIES_PAGE = readPage("docs/stories.md");
const FILES = storyFiles(STORIES_PAGE);
const DRIVER_FILES = storyFiles(readPage("docs/is-my-driver-right.md"));
/** What other tests print and compare: one as a whole, one command after another. */
const PLAYED_ELSEWHERE = ["docs/hazards.md", "docs/reports.md"];

const full = process.env.SETWAY_FULL === "1";
const { STORIES } = scenario;
const MODULES = {
  setway: core,
  "setway/machine": machine,
  "setway/scenario": scenario,
  "setway/shard": shard,
  "setway/trace": trace,
  "./node_modules/setway/dist/browser/setway.js": { ...core, ...machine },
};

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Outside every project, as a user's own files may be. */
const FOLDER = mkdtempSync(join(tmpdir(), "setway-docs-"));
afterAll(() => rmSync(FOLDER, { recursive: true, force: true }));
const write = (name: string, text: string) => writeFileSync(join(FOLDER, name), text);
for (const [name, text] of [...FILES, ...DRIVER_FILES]) write(name, text);

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

  // The driver's is short of what stories can do and played on two machines by its own page.
  it.each(full ? [...FILES.keys(), ...DRIVER_FILES.keys()] : [...FILES.keys()].slice(0, 1))(
    "%s is as it expects, in every variant on every machine",
    async (name) => {
      const { code, stdout, stderr } = await setway(["run", join(FOLDER, name), "--matrix"]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      expect(stdout).toContain("all as expected");
    },
  );

  // The compiler takes seven seconds.
  it.runIf(full)("have the types that the package declares", () => {
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

describe("the picture of README.md", () => {
  // Six boots take half a minute.
  it.runIf(full)("is what the demo prints", { timeout: 600_000 }, async () => {
    const picture = /^The demo prints:\n\n```\n([\s\S]*?)^```/m.exec(readPage("README.md").text)?.[1] ?? "";
    const withoutTime = (text: string) => text.replace(/ records in [\d.]+ s\./, " records in a while.");
    const { stdout } = await setway(["run", "decompressor"]);
    const parts = withoutTime(picture).split(/^ *\.\.\.\n/m);
    expect(parts.length).toBeGreaterThan(2);
    for (const part of parts) expect(withoutTime(stdout)).toContain(part.trimEnd());
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

const withCommands = PAGES.filter(({ name }) => !PLAYED_ELSEWHERE.includes(name))
  .map((page) => ({ page: page.name, commands: commandsOf(page) }))
  .filter(({ commands }) => commands.length > 0);

describe.each(withCommands)("$page", ({ commands }) => {
  // Several seconds each: not every day.
  const isLong = (line: string): boolean =>
    line.includes("cost setway-emulation --guest") || line.includes("--matrix --on");
  it.each(commands.filter(({ line }) => full || !isLong(line)))("$line", async ({ line, printed }) => {
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

describe.each(
  PAGES.map((page) => ({ page: page.name, programs: programsOf(page) })).filter((each) => each.programs.length > 0),
)("$page", ({ programs }) => {
  it.each(programs)("program $number prints what stands below it", async ({ code, printed }) => {
    const lines: string[] = [];
    const log = vi.spyOn(console, "log").mockImplementation((...values) => void lines.push(format(...values)));
    try {
      await run(code, MODULES);
    } finally {
      log.mockRestore();
    }
    expect(lines.join("\n")).toBe(printed);
  });
});

describe("snippets", () => {
  const all = (language: string) => PAGES.flatMap((page) => fences(page, language).map((code) => ({ page, code })));

  it("in JavaScript are programs with what they print, or have a test of their own", () => {
    // README's runs in every host of the package (test/package).
    for (const page of PAGES.filter(({ name }) => !PLAYED_ELSEWHERE.includes(name)))
      expect(programsOf(page).length, page.name).toBe(fences(page, "js").length - (page.name === "README.md" ? 1 : 0));
  });

  it("in TypeScript are stories", () => {
    const played = new Set([...FILES.values(), ...DRIVER_FILES.values()]);
    expect(all("ts").filter(({ code }) => !played.has(code))).toEqual([]);
  });

  it.each(all("yaml").filter(({ code }) => /^name:/m.test(code)))("$page.name: a machine in YAML", ({ code }) => {
    expect(machine.loadMachine(code).cores.length).toBeGreaterThan(0);
  });

  it.each(all("html"))("$page.name: a page", async ({ code }) => {
    const body = { textContent: "" };
    vi.stubGlobal("document", { body });
    const [, script = ""] = /<script type="module">\n([\s\S]*?)<\/script>/.exec(code) ?? [];
    await run(script.replace(/^ {2}/gm, ""), MODULES).finally(() => vi.unstubAllGlobals());
    expect(body.textContent).toBe("stale-read, mismatched-attributes");
  });
});

const commands = everyCommand(await programOutline());

describe("commands that are only shown", () => {
  const shown = PAGES.flatMap((page) => shownCommands(page).map((line) => ({ page: page.name, line })));

  it("are many", () => expect(shown.length).toBeGreaterThan(20));

  it.each(shown)("$page: $line", ({ line }) => {
    const words = line.split(/ +/);
    let command = commands[0] as (typeof commands)[0];
    for (let at = 1; at < words.length; at++) {
      const word = words[at] as string;
      if (word.startsWith("-") && word !== "-") {
        const option = command.options.find(({ names }) => names.includes(word));
        expect(option, `${command.path.join(" ")} has no ${word}`).toBeDefined();
        const choices = option?.value?.choices;
        if (option?.value !== undefined) at++;
        if (choices !== undefined) expect(choices).toContain(words[at]);
      } else {
        const below = command.commands.find(({ path }) => path.at(-1) === word);
        expect(below !== undefined || command.arguments.length > 0, `${command.path.join(" ")} takes no ${word}`).toBe(
          true,
        );
        command = below ?? command;
      }
    }
  });
});
