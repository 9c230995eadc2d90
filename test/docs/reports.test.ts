/** Is docs/reports.md true? Its commands print what the page says, and its table is that of the code (`SETWAY_UPDATE_DOCS=1` rewrites it). */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { DEFAULT_KINDS, KINDS_OF, REPORT_KINDS } from "../../src/report/kinds.ts";
import { PROFILE_EVENTS } from "../../src/report/profile.ts";
import { REPORT_SCHEMA } from "../../src/report/published.ts";
import { setway } from "../cli/capture.ts";
import { commandsOf, generatedPart, readPage, table } from "./page.ts";

const PAGE = readPage("docs/reports.md");
const FOLDER = mkdtempSync(join(tmpdir(), "setway-reports-"));
afterAll(() => rmSync(FOLDER, { recursive: true, force: true }));

/** Files of the page lie in the folder, alone or behind a kind. */
const inFolder = (arg: string): string =>
  arg.replace(/^(\w+:)?(\w+\.\w+)$/, (_, kind = "", name) => `${kind}${join(FOLDER, name)}`);

describe("docs/reports.md", () => {
  it("has the table of kinds", () => {
    const verbs = (name: string) =>
      (DEFAULT_KINDS as readonly string[]).includes(name)
        ? "all"
        : Object.entries(KINDS_OF)
            .filter(([, kinds]) => (kinds as readonly string[]).includes(name))
            .map(([verb]) => verb)
            .join(", ");
    const rows = REPORT_KINDS.map(({ name, summary, extension }) => [
      `\`${name}\``,
      summary,
      `.${extension}`,
      verbs(name),
    ]);
    const wanted = table(["kind", "what it is", "file", "verbs"], rows);
    const part = generatedPart(PAGE, "kinds");
    if (process.env.SETWAY_UPDATE_DOCS === "1") part.replaceWith(wanted);
    else expect(part.found).toBe(wanted);
  });

  it("names every event of a profile, and the schema", () => {
    for (const [event] of PROFILE_EVENTS) expect(PAGE.text).toContain(`\`${event}\``);
    expect(PAGE.text).toContain(REPORT_SCHEMA);
  });

  const annotate = spawnSync("callgrind_annotate", ["--version"]);

  // They build on one another: each file is written before it is read.
  it("prints what it says", async () => {
    for (const { line, printed } of commandsOf(PAGE)) {
      const [program, ...args] = line.split(" ");
      if (program === "cat") {
        writeFileSync(join(FOLDER, args[0] as string), `${printed.join("\n")}\n`);
        continue;
      }
      let stdout = "";
      if (program === "callgrind_annotate") {
        if (annotate.error !== undefined) continue;
        stdout = spawnSync(program, args.map(inFolder), { encoding: "utf8" }).stdout;
      } else {
        expect(program).toBe("setway");
        const run = await setway(args.map(inFolder));
        expect({ line, code: run.code, stderr: run.stderr }).toEqual({ line, code: 0, stderr: "" });
        stdout = run.stdout;
        for (const arg of args.slice(1).filter((each) => /^\w+:\w+\.\w+$/.test(each))) {
          const path = inFolder(arg).replace(/^\w+:/, "");
          expect(existsSync(path) && statSync(path).size > 0, `${line}: ${arg}`).toBe(true);
        }
      }
      let rest = stdout.replaceAll(`${FOLDER}/`, "").replaceAll("\r\n", "\n");
      for (const part of printed) {
        const at = rest.indexOf(part);
        if (at < 0) expect(rest, line).toContain(part);
        rest = rest.slice(at + part.length);
      }
    }
  });
});
