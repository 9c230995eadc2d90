/** Does a miss stream hold exactly the records that missed, so that a play of what lies beyond sees the same misses? */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createKernel } from "../../src/engine/kernel.ts";
import { fetch, load, type RecordEntry, record, records, store } from "../../src/engine/record.ts";
import { loadMachine } from "../../src/machine/index.ts";
import { lastPrivateLevel, MissStream, missableLevels } from "../../src/trace/miss-stream.ts";
import { setway } from "../cli/capture.ts";
import { type Folder, raw64, temporaryFolder } from "../cli/files.ts";

const MACHINE = `
name: two
cores: 2
caches:
  L1I: { size: 2KiB, ways: 2 }
  L1D: { size: 2KiB, ways: 2 }
  L2: { size: 16KiB, ways: 4, per: core }
  L3: { size: 128KiB, ways: 8, per: machine }
memory: [{ base: 0, size: 16MiB }]
`;
const NOTHING = { maintenance: false, control: false, dma: false, ownership: false };

/** Two cores, lines of a few hundred KiB, now and then the same one; some records have sizes. */
function stream(length: number): readonly RecordEntry[] {
  let state = 0x2545f491;
  const random = (below: number) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
  return Array.from({ length }, () => {
    const core = random(2);
    const address = random(4) === 0 ? random(64) * 64 : (1 + core) * 0x10_0000 + random(3000) * 64;
    const kind = random(8);
    if (kind === 0) return fetch(core, 0x40_0000 + random(500) * 64);
    if (kind === 1) return store(core, address);
    return kind === 2 ? record("LOAD", core, address, { sizeBytes: 4 }) : load(core, address);
  });
}

const ENTRIES = stream(20_000);
const machine = loadMachine(MACHINE);

function missesOf(level?: string): { readonly stream: MissStream; readonly words: Uint32Array } {
  const kernel = createKernel(machine, { provenance: NOTHING, data: false, missLog: true });
  const misses = new MissStream(machine, level);
  const words = records(...ENTRIES);
  kernel.play(words);
  return { stream: misses, words: misses.take(words, 0, kernel.takeMissLog()) };
}

describe("the level that is missed", () => {
  it("is the last private one unless another is named", () => {
    expect(lastPrivateLevel(machine)).toBe("L2");
    expect(lastPrivateLevel(loadMachine("seattle"))).toBe("L1");
    expect(missableLevels(machine)).toEqual(["L1", "L1I", "L1D", "L2", "L3"]);
    expect(() => new MissStream(machine, "L4")).toThrow(/no such level.*L4/s);
  });

  it.each(["L1I", "L1D", "L2", "L3"])("%s: as many records as it counts demand misses", (level) => {
    const kernel = createKernel(machine, { provenance: NOTHING, data: false });
    kernel.play(records(...ENTRIES));
    const { caches } = kernel.counters();
    const missed = machine.caches
      .filter((cache) => cache.level === level)
      .map(({ id }) => caches[id])
      .reduce((sum, each) => sum + (each?.loadMisses ?? 0) + (each?.storeMisses ?? 0) + (each?.fetchMisses ?? 0), 0);
    expect(missed).toBeGreaterThan(100);
    expect(missesOf(level).stream.records).toBe(missed);
  });

  it("L1: those of L1I and L1D together, in their order", () => {
    const both = missesOf("L1").stream.records;
    expect(both).toBe(missesOf("L1I").stream.records + missesOf("L1D").stream.records);
  });
});

describe("a miss stream", () => {
  it("is the same however the play was cut", () => {
    const whole = missesOf().words;
    const kernel = createKernel(machine, { provenance: NOTHING, data: false, missLog: true });
    const misses = new MissStream(machine);
    const parts: number[] = [];
    for (let at = 0; at < ENTRIES.length; at += 777) {
      const words = records(...ENTRIES.slice(at, at + 777));
      const first = kernel.records;
      kernel.play(words);
      parts.push(...misses.take(words, first, kernel.takeMissLog()));
    }
    expect(Uint32Array.from(parts)).toEqual(whole);
  });

  it("keeps prefixes with their records, and leaves control and maintenance out", () => {
    const small = loadMachine(MACHINE);
    const kernel = createKernel(small, { missLog: true });
    const wide = record("LOAD", 0, 0x1000, { sizeBytes: 4 });
    const words = records(wide, record("DSB", 0, 0), record("DC_CIVAC", 0, 0x1000), wide);
    kernel.play(words);
    const kept = new MissStream(small).take(words, 0, kernel.takeMissLog());
    expect([...kept]).toEqual([...records(wide, wide)]);
  });
});

describe("--misses", () => {
  let folder: Folder;
  beforeAll(() => {
    folder = temporaryFolder();
    folder.write("two.yaml", MACHINE);
    folder.write("trace.raw64", raw64(...ENTRIES));
  });
  afterAll(() => folder.remove());

  it("writes a trace that can be played, and says what it can tell", async () => {
    const misses = folder.path("misses.swt");
    const options = ["--recorded", "none", "--json"];
    const args = ["replay", folder.path("trace.raw64"), "-m", folder.path("two.yaml"), "--misses", misses, ...options];
    const { code, stdout } = await setway(args);
    expect(code).toBe(0);
    const { missStream, levels } = JSON.parse(stdout);
    expect(missStream).toMatchObject({ path: misses, level: "L2", records: levels.L2.misses });
    const again = await setway(["replay", misses, "-m", folder.path("two.yaml"), "--json"]);
    const beyond = JSON.parse(again.stdout);
    expect(beyond.refs).toBe(levels.L2.misses);
    expect(beyond.notAssessable).toContain("stale-read");
  });

  it.each([
    [["--misses-level", "L9"], "no such level"],
    [["--engine", "reference"], "keeps no log"],
    [["-o", "misses:other"], "two miss streams"],
  ])("%j is refused", async (more, words) => {
    const args = [
      "replay",
      folder.path("trace.raw64"),
      "-m",
      folder.path("two.yaml"),
      "--misses",
      folder.path("x.swt"),
    ];
    const { code, stderr } = await setway([...args, ...more]);
    expect(code).toBe(2);
    expect(stderr).toContain(words);
  });
});
