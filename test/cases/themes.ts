/** Every case, by theme: what cases.test.ts plays, and what docs/rules.md names as the tests of a rule. */
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
import { prefetchers } from "./prefetchers.ts";
import { recordForms } from "./record-forms.ts";
import { replacement } from "./replacement.ts";
import { setWay } from "./set-way.ts";
import { translatedAttributes } from "./translation/attributes.ts";
import { controls } from "./translation/controls.ts";
import { narrow } from "./translation/narrow.ts";
import { stageOne } from "./translation/stage-one.ts";
import { stageTwo } from "./translation/stage-two.ts";
import { tlbs } from "./translation/tlbs.ts";

export const THEMES: Readonly<Record<string, readonly Case[]>> = {
  hierarchy,
  replacement,
  coherence,
  maintenance,
  "set/way": setWay,
  "instruction side": instructionSide,
  attributes,
  devices,
  "outer and memory-side caches": memoryCaches,
  prefetchers,
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
