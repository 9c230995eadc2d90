/** Does every engine do what the rules say? One case after another, each on the reference model and on every build of the kernel. */
import { describe, expect, test } from "vitest";
import { ENGINES } from "../properties/engines.ts";
import { attributes } from "./attributes.ts";
import type { Case } from "./case.ts";
import { coherence } from "./coherence.ts";
import { cost } from "./cost.ts";
import { devices } from "./devices.ts";
import { errors } from "./errors.ts";
import { hazards } from "./hazards.ts";
import { hierarchy } from "./hierarchy.ts";
import { instructionSide } from "./instruction-side.ts";
import { maintenance } from "./maintenance.ts";
import { memoryCaches } from "./memory-caches.ts";
import { recordForms } from "./record-forms.ts";
import { replacement } from "./replacement.ts";
import { runCase } from "./run-case.ts";
import { setWay } from "./set-way.ts";

const THEMES: Readonly<Record<string, readonly Case[]>> = {
  hierarchy,
  replacement,
  coherence,
  maintenance,
  "set/way": setWay,
  "instruction side": instructionSide,
  attributes,
  devices,
  "outer and memory-side caches": memoryCaches,
  hazards,
  errors,
  cost,
  "forms of records": recordForms,
};

describe.each(ENGINES.map((each) => [each.name, each] as const))("%s", (_name, kind) => {
  describe.each(Object.entries(THEMES))("%s", (_theme, cases) => {
    test.each(cases.map((each) => [each.asks, each.rules, each] as const))("%s (%s)", (_asks, _rules, each) => {
      runCase(each, kind);
    });
  });
});

test("every case asks something else", () => {
  const questions = Object.values(THEMES).flatMap((cases) => cases.map((each) => each.asks));
  expect(new Set(questions).size).toBe(questions.length);
});
