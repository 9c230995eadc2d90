/** Does the manual page have every command and option, and does roff set it without a complaint? */
import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { manualPage } from "../../src/cli/manual.ts";
import { everyCommand } from "../../src/cli/outline.ts";
import { programOutline } from "../../src/cli/program.ts";

const groff = spawnSync("groff", ["--version"]).status === 0;
const PAGE = await manualPage();
const COMMANDS = everyCommand(await programOutline()).slice(1);
/** As roff writes it. */
const roff = (text: string) => text.replaceAll("-", "\\-");

/** Bold type, whichever way this groff makes it for terminals: escape sequences, or a character struck twice. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: both begin or end with a control character.
const EMPHASIS = /\u001b\[[\d;]*m|.\u0008/g;

describe("the manual page", () => {
  it("has a section for every command", () => {
    const sections = [...PAGE.matchAll(/^\.SS "(.*)"$/gm)].map(([, name]) => name);
    expect(sections).toEqual(COMMANDS.map(({ path }) => path.join(" ")));
  });

  it("has every option of every command, there or at the command that it names", () => {
    for (const { path, options } of COMMANDS) {
      const at = PAGE.indexOf(`.SS "${path.join(" ")}"\n`);
      const next = PAGE.indexOf("\n.SS ", at + 1);
      const section = PAGE.slice(at, next < 0 ? undefined : next);
      const above = /ptions of \\fB(.*?)\\fR/.exec(section)?.[1];
      const source = above === undefined ? "" : PAGE.slice(PAGE.indexOf(`.SS "${above}"\n`));
      const told = section + source.slice(0, source.indexOf("\n.SS "));
      for (const name of options.flatMap(({ names }) => names).filter((each) => !/^(-h|--help)$/.test(each))) {
        expect(told, path.join(" ")).toContain(roff(name));
      }
    }
  });

  it("is the same each time, and has no text that is a request by accident", async () => {
    expect(await manualPage()).toBe(PAGE);
    const requests = [...PAGE.matchAll(/^[.'](\S+)/gm)].map(([, name]) => name);
    expect([...new Set(requests)].sort()).toEqual(["PP", "SH", "SS", "TH", "TP", '\\"', "br", "fi", "nf"]);
  });

  it.skipIf(!groff)("is set by groff without a warning, with nothing lost", () => {
    const { status, stdout, stderr } = spawnSync("groff", ["-man", "-Tutf8", "-ww", "-rLL=110n"], {
      input: PAGE,
      encoding: "utf8",
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const plain = stdout.replaceAll(EMPHASIS, "");
    for (const { path, notes } of COMMANDS) {
      expect(plain).toContain(`   ${path.join(" ")}\n`);
      for (const line of notes.split("\n").filter((each) => each.startsWith("  $ "))) expect(plain).toContain(line);
    }
  });
});
