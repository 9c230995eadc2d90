/** Is the boot that a machine plays the recorded one, with the flush and the DC ISW loop of that machine and nothing else? */
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { TraceError } from "../../src/engine/errors.ts";
import { OPERATIONS } from "../../src/engine/operations.ts";
import { decodeRecords, formatRecord, type RecordEntry } from "../../src/engine/record.ts";
import { coreRegisters, loadMachine, type ResolvedMachine, SET_WAY_ROUTINES } from "../../src/machine/index.ts";
import { findBoot, type RecordedBoot, readBoot } from "../../src/scenario/decompressor/boot.ts";
import {
  bootStream,
  type Decompression,
  type Maintenance,
  nameRecord,
  prepareDecompression,
} from "../../src/scenario/decompressor/stream.ts";
import { openTraceFile } from "../../src/trace/open.node.ts";

const TRACE = fileURLToPath(new URL("../../traces/zimage-boot-l3.swt", import.meta.url));

let boot: RecordedBoot;
let decompression: Decompression;
beforeAll(async () => {
  boot = await readBoot(await openTraceFile(TRACE));
  decompression = prepareDecompression(boot);
});

/** The parts that a machine plays from the flush on. */
function partsFrom(machine: ResolvedMachine, maintenance: Maintenance): readonly Uint32Array[] {
  const { parts } = bootStream(boot, decompression, machine, maintenance);
  return parts.slice(parts.findIndex(({ phase }) => phase === "flush")).map(({ words }) => words);
}

const playedFrom = (machine: ResolvedMachine, maintenance: Maintenance): RecordEntry[] =>
  partsFrom(machine, maintenance).flatMap((words) => decodeRecords(words));

/** The records in which what the machine plays differs from the recording from that record on; undefined: in length. */
function differences(first: number, maintenance: Maintenance): string[] | undefined {
  const played = partsFrom(RECORDED_MACHINE, maintenance).flatMap((words) => [...words]);
  const recorded = boot.words.subarray(2 * first);
  if (played.length !== recorded.length) return undefined;
  return played.flatMap((word, index) =>
    word === recorded[index]
      ? []
      : [...decodeRecords(recorded.slice(index & ~1, (index & ~1) + 2))].map(
          (entry) => `${first + (index >> 1)}: ${formatRecord(entry)}`,
        ),
  );
}

/** Halfway through its DC ISW loop the recorded core fetched another block of the same line. */
const HALFWAY = ["2396385: core 0 fetch 0x4031f1dc"];

const only = (entries: readonly RecordEntry[], operation: keyof typeof OPERATIONS) =>
  entries.filter(({ code }) => code === OPERATIONS[operation].code).map(({ operand }) => operand);

/** A Cortex-A15 of the recording's emulator: 32 KiB of 4 ways. */
const RECORDED_MACHINE = loadMachine({
  name: "recorded",
  cores: 1,
  caches: { L1I: { size: "32KiB", ways: 2 }, L1D: { size: "32KiB", ways: 4 }, L2: { size: "1MiB", ways: 16 } },
});

describe("the recording's landmarks", () => {
  it("are the ones that its README names", () => {
    expect(boot).toMatchObject({
      records: 2_426_628,
      cachesOn: 170_668,
      flush: { first: 2_073_361, end: 2_394_964 },
      cachesOff: 2_394_982,
      invalidate: { first: 2_395_874, end: 2_396_897 },
      mmuOn: 2_396_913,
      image: { first: 0x40208000, end: 0x415a90c0, strideBytes: 64, linesVerified: 321_603 },
    });
  });

  it("are asked for where they are missing", () => {
    const header = { ...boot, format: "swt", compression: "none", addresses: "physical", requesters: 1 } as const;
    const trace = { name: "half.swt", header: { ...header, stripping: undefined } };
    expect(() => findBoot(boot.words.slice(0, 2 * boot.cachesOff), trace)).toThrow(TraceError);
    expect(() => findBoot(boot.words.slice(0, 2 * boot.cachesOff), trace)).toThrow("half.swt");
  });
});

describe("on a machine like the recorded one", () => {
  it("by VA is the recording itself, but for one fetch", () => {
    expect(differences(boot.flush.first, "va")).toEqual(HALFWAY);
  });

  it("none is the recording without its DC CIVAC", () => {
    expect(differences(boot.flush.end, "none")).toEqual(HALFWAY);
    expect(differences(boot.flush.end, "va")).toBeUndefined();
  });

  it("everything before is the recording, but for the size of what is written to the image", () => {
    const decompressed = decodeRecords(decompression(RECORDED_MACHINE));
    const recorded = decodeRecords(boot.words.subarray(2 * boot.cachesOn, 2 * boot.flush.first));
    const differs = recorded.flatMap((entry, index) => {
      const played = decompressed[index] as RecordEntry;
      const isSame = played.code === entry.code && played.operand === entry.operand && played.sizeBytes === undefined;
      return isSame ? [] : [{ entry, played }];
    });
    expect(decompressed).toHaveLength(recorded.length);
    expect(differs.length).toBeGreaterThan(300_000);
    for (const { entry, played } of differs) {
      if (
        entry.code !== OPERATIONS.STORE.code ||
        played.sizeBytes !== 64 ||
        played.operand !== entry.operand - (entry.operand % 64)
      ) {
        expect.fail(`${formatRecord(entry)} became ${formatRecord(played)}`);
      }
    }
  });
});

describe("set/way", () => {
  it.each(["seattle", "kunpeng916-2s", "exynos3250", "exynos4412"])(
    "loops of %s are from its own registers",
    (name) => {
      const machine = loadMachine(name);
      const registers = coreRegisters(machine, 0);
      const entries = playedFrom(machine, "setway");
      const off = entries.findIndex(({ code }) => code === OPERATIONS.SCTLR.code);
      const loop = [...SET_WAY_ROUTINES.decompressorFlush.operands(registers)];
      expect(only(entries.slice(0, off), "DC_CISW")).toEqual(loop);
      expect(only(entries.slice(off), "DC_CISW")).toEqual(loop);
      expect(only(entries, "DC_CIVAC")).toEqual([]);
      expect(only(entries, "DC_ISW")).toEqual([...SET_WAY_ROUTINES.invalidateL1.operands(registers)]);
    },
  );

  it("begins by pushing registers below the decompressor's stack pointer, in both loops", () => {
    const entries = playedFrom(loadMachine("seattle"), "setway").map(formatRecord);
    const pushed = Array.from({ length: 11 }, (_, index) => `core 0 store 0x${(0x41adbe54 + 4 * index).toString(16)}`);
    expect(entries.slice(0, 12)).toEqual(["core 0 DMB", ...pushed]);
    const off = entries.indexOf("core 0 SCTLR 0xc51870");
    expect(entries.slice(off + 1, off + 13)).toEqual(["core 0 DMB", ...pushed]);
  });
});

describe("by VA", () => {
  it("steps by the machine's own smallest data line", () => {
    const operands = only(playedFrom(loadMachine("exynos4412"), "va"), "DC_CIVAC");
    expect(operands).toHaveLength(2 * 321_603);
    expect([operands[0], operands[1], operands.at(-1)]).toEqual([0x40208000, 0x40208020, 0x415a90a0]);
  });
});

describe("names of records", () => {
  it("are the recording's, or what the record belongs to where it isn't recorded", () => {
    const stream = bootStream(boot, decompression, loadMachine("seattle"), "setway");
    expect(nameRecord(stream, boot, 0)).toMatchObject({ name: "record 0", recorded: 0 });
    expect(nameRecord(stream, boot, boot.flush.first)).toEqual({
      name: "operation 1 of the first set/way flush",
      recorded: undefined,
      operation: "core 0 DMB",
    });
    expect(nameRecord(stream, boot, stream.records - 1)).toMatchObject({ recorded: boot.records - 1 });
    expect(nameRecord(stream, boot, stream.records)).toBeUndefined();
  });
});
