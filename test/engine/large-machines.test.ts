/** Does a machine of 512 cores in eight sockets do what the reference model does, requesters above 255 included? */
import { describe, expect, test } from "vitest";
import type { Engine } from "../../src/engine/engine.ts";
import { createKernel } from "../../src/engine/kernel.ts";
import { encodeRecords, load, type RecordEntry, store } from "../../src/engine/record.ts";
import { createReference } from "../../src/engine/reference.ts";
import { loadMachine } from "../../src/machine/index.ts";
import type { ResolvedMachine } from "../../src/machine/resolved.ts";

const MACHINE = `
name: eight-sockets
sockets: 8
cores: 512
protocol: moesi
caches:
  L1I: { size: 4KiB, ways: 2 }
  L1D: { size: 4KiB, ways: 2 }
  L2: { size: 16KiB, ways: 4, inclusion: inclusive }
  L3: { size: 256KiB, ways: 16, per: socket, kind: system }
memory: [{ base: 0, size: 64GiB }]
`;

/** Few lines and many cores: nearly every access meets a copy elsewhere. */
function stream(length: number): RecordEntry[] {
  let state = 0x2545f491;
  const next = (below: number): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
  return Array.from({ length }, () => {
    const core = next(512);
    const address = next(40) * 64 + next(8) * 8;
    return next(3) === 0 ? store(core, address) : load(core, address);
  });
}

/** The reference model that has played: slow on so many cores, so once for both kernels. */
function played(machine: ResolvedMachine, words: Uint32Array): () => Engine {
  let engine: Engine | undefined;
  return () => {
    if (!engine) {
      engine = createReference(machine);
      engine.play(words);
    }
    return engine;
  };
}

describe("512 cores in eight sockets", () => {
  const machine = loadMachine(MACHINE);
  const words = encodeRecords(stream(3000));
  const reference = played(machine, words);

  test.each([
    ["with data", true],
    ["tags only", false],
  ])("the kernel %s agrees with the reference", { timeout: 60_000 }, (_name, data) => {
    const kernel = createKernel(machine, { data });
    kernel.play(words);
    expect(kernel.counters()).toEqual(reference().counters());
    expect(kernel.dirtyLines()).toEqual(reference().dirtyLines());
    expect(kernel.hazards()).toEqual([]);
    const { caches, machine: totals } = kernel.counters();
    expect(caches.reduce((sum, { snoopsIn }) => sum + snoopsIn, 0)).toBeGreaterThan(1000);
    expect(totals.crossings).toBeGreaterThan(1000);
  });
});

describe("256 GiB of memory, 32 on each of eight sockets", () => {
  const gib = 2 ** 30;
  const machine = loadMachine(
    MACHINE.replace(
      /memory: .*/,
      `memory: [${Array.from({ length: 8 }, (_, s) => `{ base: ${32 * s * gib}, size: 32GiB, socket: ${s} }`).join(", ")}]`,
    ),
  );
  /** The first and last lines of each socket's memory, but for the machine's last one, which stands for no line at all. */
  const lines = Array.from({ length: 8 }, (_, s) => [32 * s * gib, 32 * (s + 1) * gib - 128]).flat();
  const words = encodeRecords(
    stream(300).map((entry, i) => ({ ...entry, operand: (lines[i % lines.length] as number) + (entry.operand & 63) })),
  );

  const reference = played(machine, words);

  test.each([
    ["with data", true],
    ["tags only", false],
  ])("the kernel %s agrees with the reference, in memory too", { timeout: 60_000 }, (_name, data) => {
    const kernel = createKernel(machine, { data });
    kernel.play(words);
    expect(kernel.counters()).toEqual(reference().counters());
    expect(kernel.counters().machine.crossings).toBeGreaterThan(100);
    if (!data) return;
    for (const line of lines) expect(kernel.peek("truth", line, 64)).toEqual(reference().peek("truth", line, 64));
  });
});
