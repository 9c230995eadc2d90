/** Plays of many cores on machines built like servers: dealt into set groups from the first record, by one kernel and by shards alike. */
import { expect, test } from "vitest";
import { createRandom } from "../../bench/random.ts";
import { createKernel } from "../../src/engine/kernel.ts";
import { OPERATIONS } from "../../src/engine/operations.ts";
import { loadMachine } from "../../src/machine/index.ts";
import { findingsOf, mergeFindings } from "../../src/shard/findings.ts";
import { planShards } from "../../src/shard/plan.ts";
import { TEXT_PROVENANCE } from "../../src/trace/source.ts";

const MACHINE = loadMachine("host-100c");
/** More than a batch. */
const PLAIN = 70_000;
const { LOAD, STORE, FETCH, ATOMIC, PREFETCH, DC_CIVAC } = OPERATIONS;

/** Accesses of 100 cores, some of which begin late; a clean and invalidate; more accesses. */
function stream(operations = [LOAD, LOAD, STORE, FETCH]): Uint32Array {
  const words: number[] = [];
  const { below } = createRandom(4711);
  const put = (code: number, core: number, address: number) => words.push(address, (core << 24) | (code << 16));
  const access = (cores: number) => {
    const { code } = operations[below(operations.length)] as (typeof operations)[number];
    put(code, below(cores), below(2 ** 18) * 8);
  };
  for (let i = 0; i < PLAIN; i++) access(i < PLAIN / 2 ? 90 : 100);
  put(DC_CIVAC.code, 3, 0x4000);
  for (let i = 0; i < 20_000; i++) access(100);
  return Uint32Array.from(words);
}

test("are dealt from the first record, and nobody's first access interrupts a shard", () => {
  const words = stream();
  const options = { data: false, provenance: TEXT_PROVENANCE };
  const program = createKernel(MACHINE, { ...options, order: "program" });
  program.play(words);
  for (const { shares } of [planShards(MACHINE, 1), planShards(MACHINE, 2), planShards(MACHINE, 5)]) {
    const kernels = shares.map((share) => createKernel(MACHINE, { ...options, share }));
    for (const kernel of kernels) {
      kernel.play(words.subarray(0, 2 * PLAIN));
      expect(kernel.setGroups().dealt).toBe(PLAIN);
      // Dirty lines are counted while sharers are in force, and the play goes on.
      kernel.dirtyLines();
      kernel.play(words.subarray(2 * PLAIN));
    }
    const found = mergeFindings(kernels.map(findingsOf), []);
    const { counters, dirtyLines, hazards } = findingsOf(program);
    expect(found).toMatchObject({ counters, dirtyLines, hazards });
  }
});

test("with bytes, shards deal what is theirs, and nothing else", () => {
  const words = stream([LOAD, LOAD, STORE, FETCH, LOAD, STORE, ATOMIC, PREFETCH]);
  const options = { data: true, provenance: TEXT_PROVENANCE };
  const program = createKernel(MACHINE, { ...options, order: "program" });
  program.play(words);
  for (const count of [2, 5]) {
    const { shares } = planShards(MACHINE, count);
    const kernels = shares.map((share) => createKernel(MACHINE, { ...options, share }));
    let dealt = 0;
    for (const kernel of kernels) {
      kernel.play(words.subarray(0, 2 * PLAIN));
      dealt += kernel.setGroups().dealt;
      kernel.play(words.subarray(2 * PLAIN));
    }
    expect(dealt).toBe(PLAIN);
    const found = mergeFindings(kernels.map(findingsOf), []);
    const { counters, dirtyLines, hazards, lastValue } = findingsOf(program);
    expect(found).toMatchObject({ counters, dirtyLines, hazards, lastValue });
  }
});

test("dirty lines are the same whoever holds them", () => {
  const words = stream().subarray(0, 2 * PLAIN);
  const [dealt, program] = (["automatic", "program"] as const).map((order) => {
    const kernel = createKernel(MACHINE, { data: false, provenance: TEXT_PROVENANCE, order });
    kernel.play(words);
    return kernel.dirtyLines();
  });
  expect(dealt).toEqual(program);
});
