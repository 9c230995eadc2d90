/**
 * A stream of accesses as if its addresses were virtual: 4 KiB pages of one address space, in the order in which they are touched
 * first, as a kernel would give them out. Core 0 writes the tables through its caches before anybody translates.
 */
import { CONTEXT_WALKS, HCR, SYSTEM_REGISTERS, type SystemRegisterName } from "../src/engine/system-registers.ts";
import {
  memAttrOf,
  PAGE_BYTES,
  stage1Leaf,
  stage2Leaf,
  tcrOf,
  vtcrOf,
  vttbrOf,
} from "../src/hypervisor/descriptors.ts";
import { RecordBuffer } from "../src/hypervisor/record-buffer.ts";
import { pageTables } from "./tables.ts";

const GIB = 2 ** 30;
/** Stage 1's outputs and tables; where stage 2 puts them; its own tables. */
const PAGES = GIB;
const STAGE1_TABLES = 3 * GIB;
const STAGE2_OFFSET = 8 * GIB;
const STAGE2_TABLES = 4 * GIB;
const EL1 = 1n;

/** Tables for every page of an access stream without prefixes, all cores' registers, then the stream itself. */
export function virtualized(accesses: Uint32Array, cores: number, stages: 1 | 2): Uint32Array {
  const records = new RecordBuffer().begin(0);
  const offset = stages === 2 ? STAGE2_OFFSET : 0;
  const mapped = new Set<number>();
  const write = (by: number) => (entry: number, descriptor: bigint) => records.store(entry + by, descriptor);
  const stage2 = stages === 2 ? pageTables(STAGE2_TABLES, write(0)) : undefined;
  const place = (ipa: number) =>
    stage2?.set(ipa, 3, stage2Leaf({ level: 3, output: ipa + offset, memAttr: memAttrOf("write-back", false) }));
  const stage1 = pageTables(STAGE1_TABLES, write(offset), place);
  for (let i = 0; i < accesses.length; i += 2) {
    const page = ((accesses[i + 1] as number) & 0xffff) * 2 ** 20 + ((accesses[i] as number) >>> 12);
    if (mapped.has(page)) continue;
    const output = PAGES + mapped.size * PAGE_BYTES;
    mapped.add(page);
    place(output);
    stage1.set(page * PAGE_BYTES, 3, stage1Leaf({ level: 3, output, attribute: 0 }));
  }
  for (let core = 0; core < cores; core++) {
    const register = (name: SystemRegisterName, value: bigint) =>
      records.valued("MSR", SYSTEM_REGISTERS[name].number, value, 0, core);
    register("MAIR_EL1", 0xffn);
    register("TCR_EL1", tcrOf({ vaBits: 48, upper: false }));
    register("TTBR0_EL1", BigInt(stage1.root));
    if (stage2) {
      register("VTCR_EL2", vtcrOf(48));
      register("VTTBR_EL2", vttbrOf(stage2.root, 1));
      register("HCR_EL2", HCR.VM);
    }
    register("CONTEXT", EL1 | BigInt(CONTEXT_WALKS));
  }
  const before = records.words;
  const words = new Uint32Array(before.length + accesses.length);
  words.set(before);
  words.set(accesses, before.length);
  return words;
}
