/** Does every engine do what the rules say? One case after another, each on the reference model and on every build of the kernel. */
import { describe, expect, test } from "vitest";
import { ENGINES } from "../properties/engines.ts";
import { runCase } from "./run-case.ts";
import { THEMES } from "./themes.ts";

describe.each(ENGINES.map((each) => [each.name, each] as const))("%s", (_name, kind) => {
  const playable = Object.entries(THEMES).map(
    ([theme, cases]) => [theme, cases.filter((each) => kind.carriesData || !each.translates)] as const,
  );
  describe.each(playable.filter(([, cases]) => cases.length > 0))("%s", (_theme, cases) => {
    test.each(cases.map((each) => [each.asks, each.rules, each] as const))("%s (%s)", (_asks, _rules, each) => {
      runCase(each, kind);
    });
  });
});

test("every case asks something else", () => {
  const questions = Object.values(THEMES).flatMap((cases) => cases.map((each) => each.asks));
  expect(new Set(questions).size).toBe(questions.length);
});
