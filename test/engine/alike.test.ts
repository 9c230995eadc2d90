/** Records of a hundred cores that are no loads, stores or fetches: they change nothing about what is dealt, nor about what comes of it. */
import { describe, expect, test } from "vitest";
import { createRandom } from "../../bench/random.ts";
import { createKernel } from "../../src/engine/kernel.ts";
import { OPERATIONS, type OperationName } from "../../src/engine/operations.ts";
import { loadMachine } from "../../src/machine/index.ts";
import { findingsOf } from "../../src/shard/findings.ts";
import { TEXT_PROVENANCE } from "../../src/trace/source.ts";

const MACHINE = loadMachine("host-100c");
const ACCESSES: readonly OperationName[] = ["LOAD", "LOAD", "STORE", "FETCH"];
const BARRIERS: readonly OperationName[] = ["DSB", "ISB", "DMB", "TLBI_ALL", "BP_INVALIDATE", "CHARGE"];
const MAINTENANCE: readonly OperationName[] = ["DC_CVAC", "DC_CIVAC", "DC_IVAC", "DC_CVAU", "DC_CVAP", "IC_IVAU"];

/** Accesses of so many cores to so many bytes, and one in so many of the others, which is to a line that others access soon. */
function stream(
  many: number,
  cores: number,
  bytes: number,
  others: readonly OperationName[],
  oneIn: number,
): Uint32Array {
  const { below } = createRandom(many + oneIn);
  const words: number[] = [];
  const put = (name: OperationName, operand: number) =>
    words.push(operand, (below(cores) << 24) | (OPERATIONS[name].code << 16));
  const pick = (names: readonly OperationName[]) => names[below(names.length)] as OperationName;
  const anywhere = () => below(bytes / 8) * 8;
  let hot = 0;
  for (let i = 0; i < many; i++) {
    if (below(oneIn)) put(pick(ACCESSES), below(4) ? anywhere() : hot + 64 * below(4));
    else {
      hot = anywhere();
      const name = pick(others);
      put(name, BARRIERS.includes(name) ? 0 : hot);
    }
  }
  return Uint32Array.from(words);
}

const ALIKE: readonly OperationName[] = ["ATOMIC", "PREFETCH"];
const MANY = 60_000;

describe.each([
  ["tags only", false, [...ALIKE, "SPECULATIVE_FETCH", "DC_ZVA", ...BARRIERS], MANY],
  ["with bytes", true, [...ALIKE, ...BARRIERS], MANY],
  ["tags only, with maintenance", false, [...ALIKE, ...BARRIERS, ...MAINTENANCE], 0.9 * MANY],
  ["tags only, with instruction caches emptied", false, ["IC_IALLU", "IC_IALLUIS", "DSB"], 0.9 * MANY],
] as const)("%s", (_what, data, others, dealtAtLeast) => {
  test("they are dealt or pass, and all is as in program order", () => {
    const words = stream(MANY, 100, 2 ** 21, others, 40);
    const play = (order: "groups" | "program") => {
      const kernel = createKernel(MACHINE, { data, provenance: TEXT_PROVENANCE, order });
      kernel.play(words);
      return kernel;
    };
    const dealt = play("groups");
    const passed = words.filter((word, i) => i % 2 === 1 && !isDealt((word >>> 16) & 0xff)).length;
    expect(dealt.setGroups().dealt).toBeGreaterThan(dealtAtLeast - passed - 1);
    expect(findingsOf(dealt)).toEqual(findingsOf(play("program")));
  });

  test("in pieces, whatever was observed last", () => {
    // Most words have been stored to soon, and cores meet what they have just met.
    const words = stream(20_000, 5, 4096, others, 3);
    const { below } = createRandom(1);
    const [dealt, program] = (["groups", "program"] as const).map((order) =>
      createKernel(MACHINE, { data, provenance: TEXT_PROVENANCE, order }),
    );
    for (let at = 0; at < words.length; ) {
      const next = at + 2 * (1 + below(200));
      for (const kernel of [dealt, program]) kernel?.play(words.subarray(at, next));
      expect(dealt?.lastValue()).toBe(program?.lastValue());
      at = next;
    }
    expect(dealt?.counters()).toEqual(program?.counters());
    expect(dealt?.hazards()).toEqual(program?.hazards());
  });
});

function isDealt(code: number): boolean {
  return (
    code <= OPERATIONS.PREFETCH.code || code === OPERATIONS.SPECULATIVE_FETCH.code || code === OPERATIONS.DC_ZVA.code
  );
}
