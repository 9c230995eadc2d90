/**
 * Is what we write for Perfetto a trace as its protocol says? Read back by a decoder that shares nothing with the writer: lanes
 * that nest, arrows with both ends, times that are records. `protoc` reads it too where it is installed.
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encodeRecords, fetch, load, store } from "../../src/engine/record.ts";
import { perfettoOf } from "../../src/report/perfetto.ts";
import type { Timeline } from "../../src/report/timeline.ts";
import { setway } from "../cli/capture.ts";
import { type Folder, raw64, SMALL_MACHINE, STALE, temporaryFolder } from "../cli/files.ts";

type Field = readonly [number: number, value: bigint | Uint8Array];

/** Fields of one message in order; numbers as bigint, everything else as bytes. */
function fieldsOf(bytes: Uint8Array): Field[] {
  const fields: Field[] = [];
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined) throw new Error("a number without an end");
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const key = Number(varint());
    const wire = key & 7;
    if (wire === 0) fields.push([key >>> 3, varint()]);
    else if (wire === 1) {
      fields.push([key >>> 3, bytes.slice(at, at + 8)]);
      at += 8;
    } else if (wire === 2) {
      const length = Number(varint());
      if (at + length > bytes.length) throw new Error("a field beyond its message");
      fields.push([key >>> 3, bytes.slice(at, at + length)]);
      at += length;
    } else throw new Error(`wire type ${wire}`);
  }
  return fields;
}

const all = (fields: readonly Field[], number: number) =>
  fields.filter(([n]) => n === number).map(([, value]) => value);
const messages = (fields: readonly Field[], number: number) =>
  all(fields, number).map((each) => fieldsOf(each as Uint8Array));
const integer = (fields: readonly Field[], number: number) => {
  const [value] = all(fields, number);
  return typeof value === "bigint" ? Number(value) : undefined;
};
const string = (fields: readonly Field[], number: number) => {
  const [value] = all(fields, number);
  return value instanceof Uint8Array ? new TextDecoder().decode(value) : undefined;
};
const fixed = (value: bigint | Uint8Array) => {
  const bytes = value as Uint8Array;
  return Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true));
};

interface Event {
  readonly at: number;
  readonly type: number;
  readonly track: number;
  readonly name: string | undefined;
  readonly flows: readonly number[];
  readonly ending: readonly number[];
  readonly notes: Readonly<Record<string, string | number | undefined>>;
  readonly value: number | undefined;
}

/** Names of threads by their track, and events in the order of the file. */
function decoded(bytes: Uint8Array): {
  process: string;
  threads: Map<number, string>;
  counters: Map<number, string>;
  events: Event[];
} {
  const threads = new Map<number, string>();
  const counters = new Map<number, string>();
  const events: Event[] = [];
  let process = "";
  for (const packet of messages(fieldsOf(bytes), 1)) {
    expect(integer(packet, 10)).toBe(1);
    for (const descriptor of messages(packet, 60)) {
      const track = integer(descriptor, 1) as number;
      for (const each of messages(descriptor, 3)) process = string(each, 6) ?? "";
      for (const each of messages(descriptor, 4)) threads.set(track, string(each, 5) ?? "");
      if (all(descriptor, 8).length > 0) counters.set(track, string(descriptor, 2) ?? "");
    }
    for (const event of messages(packet, 11)) {
      events.push({
        at: integer(packet, 8) as number,
        type: integer(event, 9) as number,
        track: integer(event, 11) as number,
        name: string(event, 23),
        flows: all(event, 47).map(fixed),
        ending: all(event, 48).map(fixed),
        notes: Object.fromEntries(
          messages(event, 4).map((note) => [string(note, 10) ?? "", string(note, 6) ?? integer(note, 4)]),
        ),
        value: integer(event, 30),
      });
    }
  }
  return { process, threads, counters, events };
}

/** Every slice ends, on each track the last one that began first; times never go back. */
function checkNesting(events: readonly Event[]): void {
  const open = new Map<number, number>();
  let last = 0;
  for (const { at, type, track } of events) {
    expect(at).toBeGreaterThanOrEqual(last);
    last = at;
    if (type === 1) open.set(track, (open.get(track) ?? 0) + 1);
    if (type === 2) open.set(track, (open.get(track) ?? 0) - 1);
    expect(open.get(track) ?? 0).toBeGreaterThanOrEqual(0);
  }
  expect([...open.values()].every((depth) => depth === 0)).toBe(true);
}

let folder: Folder;
beforeAll(() => {
  folder = temporaryFolder();
  folder.write("small.yaml", SMALL_MACHINE);
});
afterAll(() => folder.remove());

describe("a replay's time line", () => {
  it("has cores as threads, samples, and an arrow from the missed write to the observation", async () => {
    const trace = folder.write("stale.raw64", raw64(fetch(0, 0x8000), ...STALE));
    const out = folder.path("stale.pftrace");
    await setway(["replay", trace, "-m", folder.path("small.yaml"), "-o", `perfetto:${out}`]);
    const { process, threads, counters, events } = decoded(readFileSync(out));
    expect(process).toBe(`${trace} on small (1 us is 1 record)`);
    expect([...threads.values()]).toEqual(["core 0"]);
    expect([...counters.values()]).toContain("L1D misses per 1000 records");
    checkNesting(events);
    const write = events.find(({ flows }) => flows.length > 0);
    const read = events.find(({ ending }) => ending.length > 0);
    expect(write).toMatchObject({ at: 1000, name: "core 0 store 0x1000", flows: read?.ending });
    expect(read).toMatchObject({ at: 3000, name: "stale-read, mismatched-attributes" });
    expect(read?.notes).toMatchObject({ record: 3, "stale-read: line": "0x1000", operation: "core 0 load 0x1000" });
    const misses = events.filter(({ type, track }) => type === 4 && counters.get(track)?.startsWith("L1D"));
    expect(misses.map(({ at, value }) => [at, value])).toEqual([
      [0, 250],
      [4000, 0],
    ]);
  });

  it("of a long trace stays small and still ends with the last record", async () => {
    const records = 300_000;
    const entries = Array.from({ length: records }, (_, i) => (i % 3 ? load : store)(0, (i * 64) % 0x80000));
    const trace = folder.write("long.raw64", new Uint8Array(encodeRecords(entries).buffer));
    const out = folder.path("long.pftrace");
    await setway(["replay", trace, "-m", folder.path("small.yaml"), "--tags-only", "-o", `perfetto:${out}`]);
    const { events } = decoded(readFileSync(out));
    checkNesting(events);
    expect(events.length).toBeLessThan(8 * 1024);
    expect(events.at(-1)?.at).toBe(records * 1000);
  });
});

describe("a story's time line", () => {
  it("has its steps, every record, and arrows that go forward", async () => {
    const out = folder.path("story.pftrace");
    const json = JSON.parse(
      (await setway(["run", "dma-from-device", "--on", "rpi4", "-o", `perfetto:${out}`, "--json"])).stdout,
    );
    const { threads, events } = decoded(readFileSync(out));
    checkNesting(events);
    const steps = [...threads].find(([, name]) => name === "steps")?.[0];
    const begun = events.filter(({ type }) => type === 1);
    expect(begun.filter(({ track }) => track === steps).map(({ name }) => name)).toEqual(
      json.steps
        .filter(({ records }: { records: number }) => records > 0)
        .map(({ text }: { text: string }) => text || "before the first step"),
    );
    expect(begun.filter(({ track }) => track !== steps)).toHaveLength(json.records);
    expect(begun.some(({ ending }) => ending.length > 0)).toBe(true);
    for (const { at, ending } of begun) {
      for (const arrow of ending) {
        const source = begun.find(({ flows }) => flows.includes(arrow));
        expect(source?.at).toBeLessThan(at);
      }
    }
  });
});

describe("the writer", () => {
  const timeline: Timeline = {
    title: "\u00e4 \u2192 b",
    unit: "cycle",
    tracks: [
      { id: 1, name: "one", kind: "lane" },
      { id: 2, name: "count", kind: "counter", of: 1, unit: "things" },
    ],
    slices: [
      { track: 1, from: 5, to: 9, name: "outer", category: "c", notes: { large: 2 ** 50, share: 0.5 } },
      { track: 1, from: 5, to: 7, name: "inner", category: "c", arrowsFrom: [1] },
      { track: 1, from: 7, to: 9, name: "next", category: "c", arrowsTo: [1] },
    ],
    samples: [{ track: 2, at: 6, value: 3 }],
  };

  it("begins the longer of two slices first and ends before it begins", () => {
    const { process, events } = decoded(perfettoOf(timeline));
    expect(process).toBe("\u00e4 \u2192 b (1 us is 1 cycle)");
    checkNesting(events);
    const text = events.map(({ at, type, name }) => `${at / 1000} ${type} ${name ?? ""}`.trim());
    expect(text).toEqual(["5 1 outer", "5 1 inner", "6 4", "7 2", "7 1 next", "9 2", "9 2"]);
    expect(events[0]?.notes.large).toBe(2 ** 50);
  });

  const protoc = spawnSync("protoc", ["--version"]);
  it.skipIf(protoc.error !== undefined)("is read by protoc", () => {
    const { status, stdout } = spawnSync("protoc", ["--decode_raw"], { input: perfettoOf(timeline), encoding: "utf8" });
    expect(status).toBe(0);
    expect(stdout.match(/^1 \{/gm)).toHaveLength(3 + 7);
  });
});
