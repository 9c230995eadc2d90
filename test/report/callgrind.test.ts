/** Does a profile blame the right instruction, add up to what the replay says, and load into callgrind's own reader? */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dc, fetch, load, type RecordEntry, record, store } from "../../src/engine/record.ts";
import { PROFILE_EVENTS } from "../../src/report/profile.ts";
import { setway } from "../cli/capture.ts";
import { type Folder, raw64, temporaryFolder } from "../cli/files.ts";

const MACHINE = `
name: pair
cores: 2
caches:
  L1I: { size: 1KiB, ways: 2 }
  L1D: { size: 1KiB, ways: 2 }
  L2: { size: 4KiB, ways: 4 }
memory: [{ base: 0, size: 1MiB }]
`;

let folder: Folder;
beforeAll(() => {
  folder = temporaryFolder();
  folder.write("pair.yaml", MACHINE);
});
afterAll(() => folder.remove());

type Costs = Readonly<Record<string, number>>;

/** Costs by address and their sum, as the format says them; costs that are left out at the end are zero. */
function parsed(text: string): { rows: Map<string, Costs>; totals: Costs; functions: string[] } {
  const events = /^events: (.*)$/m.exec(text)?.[1]?.split(" ") ?? [];
  const costs = (words: readonly string[]): Costs =>
    Object.fromEntries(events.map((event, i) => [event, Number(words[i] ?? 0)]));
  const rows = [...text.matchAll(/^(0x[0-9a-f]+) 0 (.*)$/gm)].map(
    ([, address, line]) => [address, costs((line ?? "").split(" "))] as const,
  );
  return {
    rows: new Map(rows as [string, Costs][]),
    totals: costs(/^totals: (.*)$/m.exec(text)?.[1]?.split(" ") ?? []),
    functions: [...text.matchAll(/^fn=(.*)$/gm)].map(([, name]) => name as string),
  };
}

async function profile(entries: readonly RecordEntry[], ...options: readonly string[]) {
  const trace = folder.write("trace.raw64", raw64(...entries));
  const out = folder.path("out.callgrind");
  const args = ["replay", trace, "-m", folder.path("pair.yaml"), "--json", "-o", `callgrind:${out}`, ...options];
  const { code, stdout, stderr } = await setway(args);
  expect(code, stderr).toBe(0);
  const text = readFileSync(out, "utf8");
  return { text, report: JSON.parse(stdout), ...parsed(text) };
}

describe("a profile", () => {
  it("gives accesses to the last instruction that their core fetched", async () => {
    const { rows, functions } = await profile([
      load(1, 0x2000),
      fetch(0, 0x8000),
      load(0, 0x1000),
      fetch(1, 0x9004),
      store(1, 0x3000),
      load(0, 0x1000),
      load(1, 0x1000),
      fetch(0, 0x8000),
    ]);
    expect(functions).toEqual(["(before the first fetch, and devices)", "code 0x8000", "code 0x9000"]);
    expect(rows.get("0x0")).toMatchObject({ Ir: 0, Dr: 1, D1mr: 1, DLmr: 1 });
    expect(rows.get("0x8000")).toMatchObject({ Ir: 2, I1mr: 1, ILmr: 1, Dr: 2, D1mr: 1, DLmr: 1, Dw: 0, Peer: 0 });
    expect(rows.get("0x9004")).toMatchObject({ Ir: 1, Dw: 1, D1mw: 1, DLmw: 1, Dr: 1, D1mr: 1, Peer: 1 });
  });

  it("adds up to the replay's counters and cycles", async () => {
    const entries: RecordEntry[] = [];
    for (let i = 0; i < 5000; i++) {
      const core = i & 1;
      entries.push(fetch(core, 0x10000 + ((i * 4) % 3000)));
      entries.push((i % 5 === 0 ? store : load)(core, (i * 168) % 9000));
      if (i % 50 === 0) entries.push(dc.civac(core, (i * 64) % 9000), record("DSB", core, 0));
      if (i % 70 === 0) entries.push(record("ATOMIC", core, 0x5000));
    }
    const { totals, report, rows } = await profile(entries);
    expect(totals.Cycles).toBe(report.cycles.total);
    const { L1I, L1D } = report.levels;
    expect(totals).toMatchObject({ Ir: L1I.accesses, I1mr: L1I.misses, Maint: 100 });
    expect((totals.D1mr ?? 0) + (totals.D1mw ?? 0)).toBeGreaterThanOrEqual(L1D.misses);
    for (const [event] of PROFILE_EVENTS) {
      expect(
        [...rows.values()].reduce((sum, costs) => sum + (costs[event] ?? 0), 0),
        event,
      ).toBe(totals[event]);
    }
  });

  it("leaves a warm-up out but knows what was fetched in it", async () => {
    const { rows, text } = await profile([fetch(0, 0x8000), load(0, 0x1000), load(0, 0x1000)], "--warmup-refs", "2");
    expect(rows.get("0x8000")).toMatchObject({ Ir: 0, Dr: 1, D1mr: 0 });
    expect(text).toContain("without the first 2 records");
  });

  it("says what addresses are", async () => {
    const { text, rows } = await profile([fetch(0, 0x7fff_1234_5678), load(0, 0x1000)], "--map-addresses", "pages");
    expect([...rows.keys()]).toEqual(["0x7fff12345678"]);
    expect(text).toContain("desc: Note: addresses are the program's own, from before --map-addresses pages");
    expect(text).toContain("desc: Attribution: an access belongs to the last instruction that its core fetched");
  });

  const reader = spawnSync("callgrind_annotate", ["--version"]);
  it.skipIf(reader.error !== undefined)("is read by callgrind_annotate", async () => {
    await profile([fetch(0, 0x8000), load(0, 0x1000), fetch(0, 0x9000), store(0, 0x2000)]);
    const args = ["--sort=Cycles", "--show=Cycles,Ir,DLmr", "--threshold=100", folder.path("out.callgrind")];
    const { status, stdout, stderr } = spawnSync("callgrind_annotate", args, { encoding: "utf8" });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toContain("PROGRAM TOTALS");
    expect(stdout).toMatch(/1 \(50\.0+%\) +1 \(100\.0+%\) .*code 0x8000/);
  });
});
