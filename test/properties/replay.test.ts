/** Plays one kept case again (`SETWAY_REPLAY=build/failures/...json`) and tells where the engines go apart. */
import { describe, expect, test } from "vitest";
import { ENGINES, REFERENCE } from "./engines.ts";
import { compareEngines, playCase } from "./play-case.ts";
import { disagreement, readCase } from "./report.ts";

const path = process.env.SETWAY_REPLAY;

describe.skipIf(path === undefined)(`replay of ${path}`, () => {
  test.each(ENGINES.map((each) => [each.name, each] as const))("%s", (_name, kind) => {
    const each = readCase(path as string);
    // Tables are data: an engine without them refuses to translate (D38).
    if (each.features.includes("translation") && !kind.carriesData) return;
    const found = compareEngines(playCase(REFERENCE, each, 4096), playCase(kind, each), each, kind.carriesData);
    expect(found.length === 0 ? "" : disagreement(REFERENCE, kind, each, found)).toBe("");
  });
});
