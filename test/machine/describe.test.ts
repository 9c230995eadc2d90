/** Does the description in words say what a person asks of a machine? */
import { expect, test } from "vitest";
import { describeMachine, loadDescription, PRESET_NAMES, presets } from "../../src/machine/index.ts";

test("a machine with a system cache: tree, reach, PoU and PoC, registers", () => {
  const lines = describeMachine(presets.seattle);
  expect(lines.slice(0, lines.indexOf("latencies, cycles"))).toEqual([
    "seattle: AMD Opteron A1100: 8 Cortex-A57, 8 MiB L3 beyond set/way",
    "",
    "cores",
    "  8 Cortex-A57 in 4 clusters, 1 socket; MOESI",
    "  AArch32 at every level: can run a 32-bit kernel",
    "  effective IDC no, DIC no, FWB no, CCIDX no",
    "caches",
    "  L3  8 MiB, 16 ways x 8192 sets x 64 B, lru, 40 cycles; nine; system cache; 8 cores",
    "    4 x L2  1 MiB, 16 ways x 1024 sets x 64 B, lru, 12 cycles; L1D inclusive, L1I nine; 2 cores",
    "      2 x L1I  48 KiB, 3 ways x 256 sets x 64 B, lru, 4 cycles",
    "      2 x L1D  32 KiB, 2 ways x 256 sets x 64 B, lru, 4 cycles",
    "memory",
    "  0x0..0x3ffffffff  16 GiB RAM",
    "devices",
    "  sata  requester 8, socket 0; coherent, writes land in the system cache",
    "maintenance",
    "  set/way reaches L1D, L2 of the executing core's path, nothing of other cores' own caches",
    "  set/way stops short of L3: what it cleans stays there, before the PoC",
    "  PoU: L2",
    "  PoC: memory; maintenance by VA reaches every cache up to L3",
    "registers",
    "  CLIDR_EL1   0xa200023  LoC 2, LoUU 1, LoUIS 1",
    "  CTR_EL0     0x8444c004",
    "  DCZID_EL0   0x4",
    "  CCSIDR_EL1  0x701fe00a  L1D, CSSELR_EL1 = 0x0",
    "  CCSIDR_EL1  0x201fe012  L1I, CSSELR_EL1 = 0x1",
    "  CCSIDR_EL1  0x707fe07a  L2, CSSELR_EL1 = 0x2",
  ]);
});

test("big.LITTLE shows both kinds of core; an outer cache says how it is reached; home placement is said", () => {
  const text = (name: "tc2" | "exynos4412" | "altra-2s") => describeMachine(presets[name]).join("\n");
  expect(text("tc2")).toContain("2 Cortex-A15 + 3 Cortex-A7 in 2 clusters");
  expect(text("tc2")).toContain("registers of Cortex-A7");
  expect(text("exynos4412")).toContain("the outer cache stands behind the PoC, starts disabled");
  expect(text("altra-2s")).toContain("2 x L3  32 MiB");
  expect(text("altra-2s")).toContain("placed by home socket");
  expect(text("altra-2s")).toContain("can't run a 32-bit kernel");
});

test("every source is printed, and a complete description is described alike", () => {
  for (const name of PRESET_NAMES) {
    const lines = describeMachine(presets[name]);
    for (const [key, source] of Object.entries(presets[name].sources ?? {}))
      expect(lines).toContain(`  ${key}: ${source}`);
    expect(describeMachine(loadDescription(name).description)).toEqual(lines);
  }
});

test("policies that aren't the usual ones are said", () => {
  const lines = describeMachine({
    cores: [{ count: 1 }, { count: 1, caches: { L2: { setWay: false } } }],
    caches: {
      L1D: { size: "32KiB", ways: 1, write: "through", allocate: "read", prefetch: "stream" },
      L2: { size: "1MiB", ways: 16, inclusion: "exclusive", replacement: "srrip" },
      L3: { size: "4MiB", ways: 16, kind: "memory-side" },
    },
    directory: { sets: 64, ways: 1 },
    memory: [{ size: "1GiB" }, { base: "2GiB", size: "1MiB", type: "device" }],
  });
  const text = lines.join("\n");
  expect(text).toContain("1 way x 512 sets x 64 B, lru, write-through, allocates on read only");
  expect(text).toContain("stream prefetcher (degree 2, distance 8, 16 pages)");
  expect(text).toContain("srrip, 12 cycles; exclusive; not in CLIDR");
  expect(text).toContain("core 1: set/way stops short of L2");
  expect(text).toContain("directory: 64 sets x 1 way a socket");
  expect(text).toContain("memory-side cache stands behind the PoC");
  expect(text).toContain("1 MiB MMIO");
});

test("memory that lacks its last line says so", () => {
  expect(describeMachine(presets["host-100c"])).toContain("  0x0..0x3fffffffbf  256 GiB less 64 B RAM, socket 0");
});
