/** Does docs/machines.md say of every key what the schema says? `SETWAY_UPDATE_DOCS=1` rewrites its table. */
import { readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { loadMachine, PRESET_NAMES } from "../../src/machine/index.ts";
import { keyRows } from "../../src/machine/keys.ts";

const page = new URL("../../docs/machines.md", import.meta.url);
const BEGIN = "<!-- keys: generated from src/machine/schema.ts -->\n";
const END = "<!-- end of keys -->";

const cell = (text: string) => text.replaceAll("|", "\\|");

function keyTable(): string {
  const rows = keyRows().map(
    ({ path, expects, otherwise, about }) => `| \`${path}\` | ${cell(expects)} | ${cell(otherwise)} | ${cell(about)} |`,
  );
  return ["| key | value | default | meaning |", "|---|---|---|---|", ...rows, ""].join("\n");
}

test("the table of keys is the schema's", () => {
  const text = readFileSync(page, "utf8");
  const [before, rest] = text.split(BEGIN) as [string, string];
  const after = rest.slice(rest.indexOf(END));
  const wanted = `${before}${BEGIN}${keyTable()}${after}`;
  if (process.env.SETWAY_UPDATE_DOCS === "1") writeFileSync(page, wanted);
  else expect(text).toBe(wanted);
});

test("every key of the table has a meaning and something expected", () => {
  for (const row of keyRows()) {
    expect(row.about, row.path).not.toBe("");
    expect(row.expects, row.path).not.toBe("");
  }
});

test("the page's examples are machines, and every preset is named", () => {
  const text = readFileSync(page, "utf8");
  const examples = [...text.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, example]) => example!);
  expect(examples.length).toBeGreaterThanOrEqual(2);
  for (const example of examples)
    expect(loadMachine(example, { file: "docs/machines.md" }).cores.length).toBeGreaterThan(0);
  for (const name of PRESET_NAMES) expect(text).toContain(`\`${name}\``);
});
