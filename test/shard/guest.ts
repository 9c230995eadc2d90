/** A guest for shards: cores with tables in memory, which they write, forget (TLBI) and write again while they work. */
import {
  dsb,
  encodeRecords,
  load,
  msr,
  type RecordEntry,
  store,
  tlbi,
  withAttribute,
  withValue,
} from "../../src/engine/record.ts";
import { CONTEXT_WALKS } from "../../src/engine/system-registers.ts";
import { stage1Leaf, tableDescriptor, tcrOf } from "../../src/hypervisor/descriptors.ts";

const PAGE = 4096;
/** Tables of levels 1 to 3 of an address space of 39 bits, then the pages that the last one maps. */
const TABLES = 0x2_0000;
const LEAVES = TABLES + 2 * PAGE;
const MEMORY = 0x4_0000;
const PAGES = 64;
const EL1 = 1n;
const EL2 = 2n;

/**
 * `behind`: from the middle on, descriptors are also written past the caches that hold them, so that a walk observes an old one:
 * with another page, or with nothing, so that a core that observed what is new would fault.
 */
export function guestEntries(cores: number, count: number, behind?: "a page" | "nothing"): RecordEntry[] {
  let state = 7;
  const below = (limit: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
  const leaf = (page: number, frame: number) =>
    withValue(
      store(0, LEAVES + 8 * page),
      stage1Leaf({ level: 3, output: MEMORY + frame * PAGE, attribute: 0, user: true }),
    );
  const entries: RecordEntry[] = [
    withValue(store(0, TABLES), tableDescriptor(TABLES + PAGE)),
    withValue(store(0, TABLES + PAGE), tableDescriptor(LEAVES)),
    ...Array.from({ length: PAGES }, (_, page) => leaf(page, (page * 7) % PAGES)),
  ];
  for (let core = 0; core < cores; core++) {
    entries.push(msr(core, "MAIR_EL1", 0xffn), msr(core, "TCR_EL1", tcrOf({ vaBits: 39, upper: false })));
    entries.push(msr(core, "TTBR0_EL1", BigInt(TABLES)), msr(core, "CONTEXT", EL1 | BigInt(CONTEXT_WALKS)));
  }
  for (let i = 0; i < count; i++) {
    const core = below(cores);
    const page = below(PAGES);
    const address = page * PAGE + below(64) * 64 + below(8) * 8;
    entries.push(below(3) === 0 ? store(core, address) : load(core, address));
    if (i % 100 !== 50) continue;
    // The hypervisor, whose addresses are physical, moves a page.
    const moved = leaf(page, below(PAGES));
    const change = (...written: readonly RecordEntry[]): readonly RecordEntry[] => [
      msr(0, "CONTEXT", EL2),
      ...written,
      dsb(0),
      msr(0, "CONTEXT", EL1 | BigInt(CONTEXT_WALKS)),
      tlbi(0, "VMALLE1", { innerShareable: true }),
    ];
    entries.push(...change(moved));
    if (behind && i > count / 2) {
      const other = behind === "nothing" ? withValue(moved, 0n) : leaf(page, below(PAGES));
      entries.push(...change(withAttribute(other, "NON_CACHEABLE")), load(core, address), ...change(moved));
    }
    entries.push(load(core, address));
  }
  return entries;
}

export const guest = (...parameters: Parameters<typeof guestEntries>): Uint32Array =>
  encodeRecords(guestEntries(...parameters));
