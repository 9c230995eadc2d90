/** Records that repeat the one before them in their set group are counted and not kept (assembly/deal.ts): nobody can tell. */
import { expect, test } from "vitest";
import { createRandom } from "../../bench/random.ts";
import { createKernel } from "../../src/engine/kernel.ts";
import { OPERATIONS, type OperationName } from "../../src/engine/operations.ts";
import { loadMachine } from "../../src/machine/index.ts";
import { findingsOf } from "../../src/shard/findings.ts";
import { TEXT_PROVENANCE } from "../../src/trace/source.ts";

const MACHINE = loadMachine("host-100c");
const [L, S, F] = ["LOAD", "STORE", "FETCH"] as const;
type Access = readonly [core: number, name: OperationName, line: number];

const wordsOf = (accesses: readonly Access[]) =>
  Uint32Array.from(
    accesses.flatMap(([core, name, line]) => [
      64 * line,
      (core << 24) | (OPERATIONS[name].code << 16) | Math.floor((64 * line) / 2 ** 32),
    ]),
  );

/** Lines of one set group are so many apart. */
const GROUP = 128;

const found = (words: Uint32Array, order: "groups" | "program") => {
  const kernel = createKernel(MACHINE, { data: false, provenance: TEXT_PROVENANCE, order });
  kernel.play(words);
  return { findings: findingsOf(kernel), dealt: kernel.setGroups().dealt };
};

/** "7L1": core 7 loads line 1. */
const accessesOf = (text: string): readonly Access[] =>
  [...text.matchAll(/(\d+)([LSF])(\d+)/g)].map(([, core, kind, line]) => [
    Number(core),
    { L, S, F }[kind as "L" | "S" | "F"],
    Number(line),
  ]);

test.each([
  ["the first record of core 0, to line 0", "0L0"],
  ["a load, again", "0L0 0L0 0L0"],
  ["what was stored is loaded and stored again", "7S1 7L1 7S1"],
  ["what was loaded is stored", "7L1 7S1"],
  ["and what two have is", "7L1 8L1 8S1 7L1"],
  ["a fetch is no load", "7L1 7F1 7F1 7L1 7S1 7F1"],
  ["others' accesses come between", "7L1 8L1 7L1 8S1 7L1"],
  ["another line of the group does", `7L1 7L${1 + GROUP} 7L1 7S${1 + 2 * GROUP} 7S1`],
  ["a line that lies far away does", `7L${1 + GROUP * 2 ** 16} 7L${1 + GROUP * 2 ** 20} 7L1 7L1`],
  ["other groups do", "7L1 7S2 8F3 7L1"],
])("%s", (_what, text) => {
  const accesses = accessesOf(text);
  expect(accesses.length).toBe(text.split(" ").length);
  const words = wordsOf(accesses);
  const groups = found(words, "groups");
  expect(groups.dealt).toBe(accesses.length);
  expect(groups.findings).toEqual(found(words, "program").findings);
});

test("whether much is repeated or little, in turns", () => {
  const { below } = createRandom(3);
  const accesses: Access[] = [];
  let last: Access = [0, L, 0];
  // Longer than it takes to try again, so that one stretch or more of each kind is dealt in each way.
  for (let i = 0; i < 1_600_000; i++) {
    const isRepeating = Math.floor(i / 150_000) % 2 === 0;
    if (!isRepeating || below(4) === 0) last = [below(20), [L, L, S, F][below(4)] as OperationName, below(40_000)];
    accesses.push(isRepeating && last[1] === S && below(2) ? [last[0], L, last[2]] : last);
  }
  const words = wordsOf(accesses);
  expect(found(words, "groups").findings).toEqual(found(words, "program").findings);
});
