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
import { translatedAttributes } from "./translation/attributes.ts";
import { controls } from "./translation/controls.ts";
import { narrow } from "./translation/narrow.ts";
import { stageOne } from "./translation/stage-one.ts";
import { stageTwo } from "./translation/stage-two.ts";
import { tlbs } from "./translation/tlbs.ts";

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
  "stage 1": stageOne,
  "stage 2": stageTwo,
  "attributes of translations": translatedAttributes,
  TLBs: tlbs,
  "AArch32 translation": narrow,
  "traps and registers": controls,
};

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
