/** Is what gets lost by accesses past the caches found, wherever in a stream the first one is that leaves copies behind? */
import { expect, test } from "vitest";
import { createRandom } from "../../bench/random.ts";
import { EVERYTHING_RECORDED } from "../../src/engine/engine.ts";
import { dc, encodeRecords, evict, load, type RecordEntry, store } from "../../src/engine/record.ts";
import { differences, snapshot } from "../properties/compare.ts";
import { DEBUG_KERNELS, type EngineKind, REFERENCE, RELEASE_KERNELS } from "../properties/engines.ts";
import { machine } from "../properties/machines.ts";

const ON = machine({ cores: 2 });
const LINES = [0x1000, 0x1040, 0x1080];
const KERNELS = [...RELEASE_KERNELS, ...DEBUG_KERNELS].filter(({ carriesData }) => carriesData);

/** So short that in many of them a single access ignores coherence, or only one that nobody has a copy of. */
function shortStream(seed: number): RecordEntry[] {
  const random = createRandom(seed);
  return Array.from({ length: 10 }, () => {
    const core = random.below(2);
    const at = (LINES[random.below(LINES.length)] ?? 0) + 8 * random.below(2);
    const kind = random.below(12);
    if (kind < 3) return load(core, at);
    if (kind < 6) return store(core, at);
    if (kind < 8) return { ...store(core, at), attribute: 1 };
    if (kind === 8) return { ...load(core, at), attribute: 1 };
    return kind === 9 ? evict(core, at) : kind === 10 ? dc.civac(core, at) : dc.ivac(core, at);
  });
}

test("short streams with stores past the caches and DC IVAC come to the same in kernel and reference", () => {
  const classes = new Set<string>();
  for (let seed = 1; seed <= 400; seed++) {
    const stream = shortStream(seed);
    const stateOf = (kind: EngineKind) => {
      const engine = kind.create(ON, EVERYTHING_RECORDED);
      engine.play(encodeRecords(stream));
      for (const hazard of engine.hazards()) classes.add(hazard.class);
      return snapshot(engine, LINES, { bytes: true });
    };
    const expected = stateOf(REFERENCE);
    for (const kernel of KERNELS) expect(differences(expected, stateOf(kernel)), `${kernel.name}, ${seed}`).toEqual([]);
  }
  expect(classes).toContain("lost-write");
});
