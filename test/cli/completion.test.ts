/**
 * Do the completion scripts offer what the command takes? Each shell that is installed plays its script for real; bash is
 * everywhere, zsh and fish are skipped where they are missing.
 */
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { everyCommand } from "../../src/cli/outline.ts";
import { programOutline } from "../../src/cli/program.ts";
import { suggestedArguments, suggestedFor } from "../../src/cli/suggestions.ts";
import { PRESET_NAMES } from "../../src/machine/index.ts";
import { STORIES } from "../../src/scenario/index.ts";
import { setway } from "./capture.ts";
import { temporaryFolder } from "./files.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const COMMANDS = everyCommand(await programOutline());

/** How each shell is started with nobody's own settings. */
const SHELLS: Readonly<Record<string, readonly string[]>> = { bash: ["--norc"], zsh: ["-f"], fish: ["--no-config"] };

const isThere = (shell: string): boolean => spawnSync(shell, ["--version"]).status === 0;

const folder = temporaryFolder();
afterAll(() => folder.remove());

/** What a shell offers for each line, all in one process. */
async function offered(shell: string, lines: readonly string[]): Promise<string[][]> {
  const { code, stdout: script, stderr: said } = await setway(["completion", shell]);
  expect({ code, said }).toEqual({ code: 0, said: "" });
  const files = [folder.write(`script.${shell}`, script), folder.write(`lines.${shell}`, `${lines.join("\n")}\n`)];
  const args = [...(SHELLS[shell] ?? []), join(ROOT, `test/cli/shells/ask.${shell}`), ...files];
  const { status, stdout, stderr } = spawnSync(shell, args, { cwd: ROOT, encoding: "utf8" });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  const blocks = stdout.split("--next--\n").slice(0, -1);
  expect(blocks).toHaveLength(lines.length);
  return blocks.map((block) => block.split("\n").filter((word) => word !== ""));
}

/** Lines, what must be offered, and what must not be. Readline gets back only what follows a colon or an equals sign. */
const CASES: readonly (readonly [line: string, ...words: string[]])[] = [
  ["setway ", "run", "replay", "machine", "completion", "!seattle"],
  ["setway re", "replay", "!run"],
  ["setway machine ", "list", "show", "import", "export", "!run"],
  ["setway machine show sea", "seattle", "!juno"],
  ["setway machine export juno --to ", "drcachesim", "dts"],
  ["setway replay boot.swt -m gra", "graviton3"],
  ["setway replay boot.swt --machine gra", "graviton3"],
  ["setway replay boot.swt --caches ", "on", "off", "!seattle"],
  ["setway replay --mach", "--machine", "!--caches"],
  ["setway run ", "swap-out", "decompressor"],
  ["setway run swap-out --with ", "flush-at-map", "flush-at-unmap", "!map"],
  ["setway run swap-out --on seattle,gra", "seattle,graviton3"],
  ["setway run --on run --", "--all", "--with", "!--maintenance"],
  ["setway run decompressor --maintenance se", "setway"],
  ["setway cost vga --unit ", "4", "64"],
  ["setway list ", "hazards", "formats"],
  ["setway explain stale-", "stale-read", "stale-dma", "!leak"],
  ["setway completion ", "bash", "zsh", "fish"],
  ["setway convert READ", "README.md", "!LICENSE"],
];

describe.each(Object.keys(SHELLS))("%s", (shell) => {
  it.skipIf(!isThere(shell))("offers what can stand there", async () => {
    const answers = await offered(
      shell,
      CASES.map(([line]) => line),
    );
    for (const [index, [line, ...words]] of CASES.entries()) {
      const answer = answers[index]?.map((word) => word.trim());
      for (const word of words) {
        if (word.startsWith("!")) expect(answer, line).not.toContain(word.slice(1));
        else expect(answer, line).toContain(word);
      }
    }
  });

  it.skipIf(!isThere(shell))("completes every command and every option", async () => {
    const lines = COMMANDS.flatMap(({ path }) => [`${path.join(" ")} `, `${path.join(" ")} --`]);
    const answers = await offered(shell, lines);
    for (const [index, { path, commands, options }] of COMMANDS.entries()) {
      const wanted = [commands.map((each) => each.path.at(-1)), options.map(({ names }) => names.at(-1))];
      for (const half of [0, 1]) {
        expect(answers[2 * index + half], path.join(" ")).toEqual(expect.arrayContaining(wanted[half] ?? []));
      }
    }
  });
});

describe.skipIf(!isThere("bash"))("bash", () => {
  it("gives back what readline hasn't cut off: behind an equals sign, and behind a colon", async () => {
    const answers = await offered("bash", [
      "setway replay boot.swt --machine=gra",
      "setway run swap-out --on=seattle,gra",
      "setway replay boot.swt -o js",
      "setway replay boot.swt -o json:package",
    ]);
    const files = readdirSync(ROOT).filter((name) => name.startsWith("package"));
    expect(answers.map((words) => words.sort())).toEqual([
      ["graviton3"],
      ["seattle,graviton3"],
      ["json:"],
      files.sort(),
    ]);
  });
});

describe("the table of suggestions", () => {
  it("knows every machine and every story", () => {
    const replay = COMMANDS.find(({ path }) => path.join(" ") === "setway replay");
    const machine = replay?.options.find(({ names }) => names.includes("--machine"));
    expect(suggestedFor(replay as never, machine as never).words.map(([word]) => word)).toEqual(PRESET_NAMES);
    const run = COMMANDS.find(({ path }) => path.join(" ") === "setway run");
    const words = suggestedArguments(run as never).words.map(([word]) => word);
    expect(words).toEqual(expect.arrayContaining(STORIES.map(({ name }) => name)));
  });

  /** Values that nobody can guess. */
  const FREE = ["count", "ghz", "text", "name", "level=sizes", "k/n"];

  it("has something for every value that can be guessed", () => {
    const silent = COMMANDS.flatMap((command) =>
      command.options
        .filter(({ value }) => value !== undefined && !FREE.includes(value.name))
        .filter((option) => {
          const { words, files } = suggestedFor(command, option);
          return words.length === 0 && files === undefined;
        })
        .map(({ names, value, summary }) => ({ at: [...command.path, names.at(-1)].join(" "), value, summary })),
    );
    // Parameters of studies that are numbers say how they are written.
    expect(silent.filter(({ at, summary }) => !(at.startsWith("setway cost") && / to /.test(summary)))).toEqual([]);
  });
});
