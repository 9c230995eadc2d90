/**
 * Is every rule and every decision of docs/semantics.md tested, and does docs/rules.md say by what? The cases name their
 * rules; other tests name them in their titles and comments. `SETWAY_UPDATE_DOCS=1` rewrites the page's tables.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { RULES } from "../../src/report/rules.ts";
import { THEMES } from "../cases/themes.ts";
import { generatedPart, readPage, table } from "./page.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Nobody looks for these by name: what there is instead. */
const UNTESTED: Readonly<Record<string, string>> = {};

/** The words of a text that are rules or decisions; `R26 to R29` is four, and `R1 to R50` is nothing in particular. */
function rulesIn(text: string): ReadonlySet<string> {
  const found = new Set<string>();
  for (const [, kind = "", from = "", to = from] of text.matchAll(/\b([RD])(\d+)(?: to \1(\d+))?\b/g)) {
    if (Number(to) - Number(from) > 10) continue;
    for (let number = Number(from); number <= Number(to); number++) found.add(`${kind}${number}`);
  }
  return found;
}

/** Which decisions there are, and what each says of itself: its title, and the rules that it decides. */
const DECISIONS = new Map(
  readFileSync(join(ROOT, "docs/semantics.md"), "utf8")
    .split(/^- (?=\*\*D\d+)/m)
    .slice(1)
    .flatMap((text) => {
      const [, name, rest] = /^\*\*(D\d+)[. ]?\s*(.*?)\*\*/.exec(text) ?? [];
      if (name === undefined) return [];
      // Where there is no title, the first words are one.
      const title = rest || (/^\*\*.*?\*\*\s*(.*?)[.,;:(]/.exec(text)?.[1] ?? "");
      return [
        [name, { title: title.replace(/[.:]$/, "").replaceAll("_", ""), text: text.split(/^## /m)[0] as string }],
      ];
    })
    // Readings repeat a decision's name; the decision comes first.
    .reverse() as [string, { title: string; text: string }][],
);

const filesUnder = (folder: string): string[] =>
  readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? filesUnder(`${folder}/${entry.name}`) : [`${folder}/${entry.name}`],
  );

/** By rule: themes of cases with the first case's question, and files of other tests. */
function testsByRule(): ReadonlyMap<string, readonly string[]> {
  const tests = new Map<string, Set<string>>();
  const add = (rule: string, test: string) => tests.set(rule, (tests.get(rule) ?? new Set()).add(test));
  for (const [theme, cases] of Object.entries(THEMES)) {
    const seen = new Set<string>();
    for (const { asks, rules } of cases) {
      for (const rule of rulesIn(rules)) {
        if (!seen.has(rule)) add(rule, `${theme}: ${asks}`);
        seen.add(rule);
      }
    }
  }
  const others = filesUnder("test").filter(
    (path) => path.endsWith(".test.ts") && !/^test\/(cases|docs|cli\/verbs)/.test(path),
  );
  for (const path of others) {
    for (const rule of rulesIn(readFileSync(join(ROOT, path), "utf8"))) add(rule, `\`${path}\``);
  }
  return new Map([...tests].map(([rule, names]) => [rule, [...names]]));
}

const TESTS = testsByRule();

/** Decisions whose text doesn't name the rule that they settle. */
const SETTLED_BY: Readonly<Record<string, readonly string[]>> = {
  R1: ["D4", "D9", "D10"],
  R7: ["D5", "D30", "D38"],
  R10: ["D42", "D43", "D44", "D47", "D51"],
  R11: ["D7", "D48", "D50"],
  R13: ["D8", "D17"],
  R16: ["D20"],
  R24: ["D38", "D40", "D49", "D54"],
  R26: ["D31"],
  R27: ["D32"],
};

/** The decisions that settle a rule: those that name it, and those. */
const decisionsOf = (rule: string): readonly string[] => {
  const naming = [...DECISIONS].filter(([, { text }]) => rulesIn(text).has(rule)).map(([name]) => name);
  return [...new Set([...naming, ...(SETTLED_BY[rule] ?? [])])].sort(byNumber);
};

function byNumber(left: string, right: string): number {
  return Number(left.slice(1)) - Number(right.slice(1));
}

const cell = (tests: readonly string[]): string => tests.join("<br>");

describe("docs/rules.md", () => {
  it("knows the decisions as the page numbers them, without a gap", () => {
    const names = [...DECISIONS.keys()].sort(byNumber);
    expect(names).toEqual(names.map((_, index) => `D${index + 1}`));
    expect(names.length).toBeGreaterThanOrEqual(56);
    for (const [name, { title }] of DECISIONS) expect(title, name).not.toBe("");
  });

  it("every decision has a test, or says why not", () => {
    const without = [...DECISIONS.keys()].filter((name) => !TESTS.has(name) && !Object.hasOwn(UNTESTED, name));
    expect(without).toEqual([]);
    // Nobody is excused who has one.
    expect(Object.keys(UNTESTED).filter((name) => TESTS.has(name))).toEqual([]);
  });

  it("every rule has a test of its own, or decisions that have", () => {
    const without = Object.keys(RULES).filter(
      (rule) => !TESTS.has(rule) && decisionsOf(rule).length === 0 && !Object.hasOwn(UNTESTED, rule),
    );
    expect(without).toEqual([]);
  });

  it.each([
    [
      "rules",
      () =>
        table(
          ["rule", "", "decided by", "tests that name it"],
          Object.entries(RULES).map(([rule, { title, text }]) => [
            rule,
            `**${title}.** ${text}`,
            decisionsOf(rule).join(", "),
            cell(TESTS.get(rule) ?? [UNTESTED[rule] ?? "those of its decisions"]),
          ]),
        ),
    ],
    [
      "decisions",
      () =>
        table(
          ["decision", "", "tests that name it"],
          [...DECISIONS.keys()]
            .sort(byNumber)
            .map((name) => [name, DECISIONS.get(name)?.title ?? "", cell(TESTS.get(name) ?? [UNTESTED[name] ?? ""])]),
        ),
    ],
  ] as const)("the table of %s is the code's and the tests'", (name, wanted) => {
    const part = generatedPart(readPage("docs/rules.md"), name);
    if (process.env.SETWAY_UPDATE_DOCS === "1") part.replaceWith(wanted());
    else expect(part.found).toBe(wanted());
  });
});
