/** Records that cannot be played: what is refused, where, and that everything before it was played and nothing of it (D7). */
import type { AttributeCode } from "../../src/engine/operations.ts";
import { atomic, dc, device, load, migrate, type RecordEntry, record, store } from "../../src/engine/record.ts";
import type { MachineSpec } from "../properties/machines.ts";
import type { Case } from "./case.ts";
import { A, B, single } from "./small-machines.ts";

const withDevice: MachineSpec = { ...single, devices: [{ coherent: true }] };
const twoRegions: MachineSpec = {
  ...single,
  memory: [
    { base: 0, size: 0x1000 },
    { base: 0x1000, size: 0x1000 },
  ],
};

/** `bad` comes third, after a store and a load. */
const refuses = (asks: string, bad: RecordEntry, message: RegExp, machine: MachineSpec = single): Case => ({
  asks,
  rules: "D7",
  machine,
  records: [store(0, A), load(0, B), bad, store(0, B)],
  expect: {
    refused: { record: 2, message },
    records: 2,
    caches: { L1D: { stores: 1, storeMisses: 1, loads: 1, loadMisses: 1 } },
    copies: { [A]: "L1D M, L2 E", [B]: "L1D E, L2 E" },
    words: { truth: { [B]: 0n } },
  },
});

export const errors: readonly Case[] = [
  refuses("is an unknown operation refused?", { code: 99, requester: 0, operand: A }, /99/),
  refuses("is a core that the machine lacks refused?", load(7, A), /7/),
  refuses("is a core far beyond the machine refused?", load(3000, A), /3000/),
  refuses("is a core's operation refused from a device?", load(1, A), /load|core|requester/i, withDevice),
  refuses("is a device's operation refused from a core?", device(0).read(A), /device|requester/i, withDevice),
  refuses("is an address outside memory refused?", load(0, 0x4000_0000), /0x40000000/),
  refuses(
    "is an access that leaves its region refused, whole?",
    store(0, 0xffffc, { sizeBytes: 8 }),
    /0xffffc|region|memory/i,
  ),
  refuses(
    "is an access across two regions refused though both exist?",
    store(0, 0xff8, { sizeBytes: 16 }),
    /0xff8|region|memory/i,
    twoRegions,
  ),
  refuses("is maintenance by VA outside memory refused?", dc.civac(0, 0x4000_0000), /0x40000000/),
  refuses("is a page outside memory refused?", record("ASSIGN_PAGE", 0, 0x4000_0000), /0x40000000/),
  refuses(
    "is an attribute that no code means refused?",
    { ...load(0, A), attribute: 9 as AttributeCode },
    /attribute|9/i,
  ),
  refuses("is software that comes from a missing core refused?", migrate(5, 0), /5|core/i),
  refuses("is DC ZVA refused where it is prohibited?", dc.zva(0, A), /ZVA/, { ...single, zva: 0 }),
  refuses("is DC ZVA to Device memory refused?", dc.zva(0, A, { attribute: "DEVICE" }), /ZVA/),
  refuses(
    "is a Non-cacheable atomic refused where it faults?",
    atomic(0, A, { attribute: "NON_CACHEABLE" }),
    /atomic/i,
    { ...single, ncAtomics: "fault" },
  ),
];
