/** Registers, traps, promotions, and the errors of what they are told (D38, D39, D49, D53, D54). */
import { OPERATIONS } from "../../../src/engine/operations.ts";
import {
  charge,
  dc,
  dsb,
  ic,
  load,
  mrs,
  msr,
  type RecordEntry,
  record,
  sctlr,
  setWayOperand,
  store,
  tlbi,
} from "../../../src/engine/record.ts";
import type { Case, Expectation } from "../case.ts";
import { A, level, oneSet } from "../small-machines.ts";
import { EL0, EL1, EL2, guest, guests, PAGE, SCTLR, stageTwoIdentity, stageTwoOn, WALKS } from "./tables.ts";

const ask = (
  asks: string,
  rules: string,
  records: readonly RecordEntry[],
  expect: Expectation,
  machine = guest,
): Case => ({
  asks,
  rules,
  machine,
  records,
  expect,
});

const bit = (number: number) => 1n << BigInt(number);

/** A hypervisor's trap: each of these exits, those not. */
const trapped = (name: string, number: number, exits: readonly RecordEntry[], plays: readonly RecordEntry[]): Case => {
  const first = msr(0, "HCR_EL2", bit(number));
  return ask(`what does HCR_EL2.${name} trap?`, "D49 D50", [first, ...exits, ...plays], {
    exits: exits.map((each, index) => ({
      type: "trap",
      target: 2,
      stage: 0,
      level: -1,
      record: 1,
      word: wordsOf(first) + wordsBefore(exits, index),
      operation: each.code,
      operand: each.operand,
      value: each.value ?? 0n,
      ipa: -1,
      physical: -1,
      address: BY_ADDRESS.includes(each.code) ? each.operand : -1,
    })),
    records: 1 + plays.length,
  });
};

const BY_ADDRESS: readonly number[] = ["DC_IVAC", "DC_CVAC", "DC_CIVAC", "DC_CVAU", "DC_CVAP", "DC_ZVA", "IC_IVAU"].map(
  (name) => OPERATIONS[name as "DC_IVAC"].code,
);

/** A value has one prefix, two where it has an upper half. */
const wordsOf = ({ value }: RecordEntry) => (value === undefined ? 1 : value >> 32n ? 3 : 2);

/** Words of 64 bits before the record's own. */
function wordsBefore(entries: readonly RecordEntry[], index: number): number {
  return entries.slice(0, index + 1).reduce((sum, each) => sum + wordsOf(each), 0) - 1;
}

const operand = setWayOperand({ depth: 1, ways: 4, lineBytes: 64 }, 0, 0);
const tiny = { cores: 1, l1d: oneSet(2), levels: [level("L2", 4)] };
const place = setWayOperand({ depth: 1, ways: 2, lineBytes: 64 }, 0, 0);

export const controls: readonly Case[] = [
  trapped("TSW", 22, [dc.isw(0, operand), dc.csw(0, operand), dc.cisw(0, operand)], [dc.civac(0, A), ic.iallu(0)]),
  trapped(
    "TPC",
    23,
    [dc.ivac(0, A), dc.cvac(0, A), dc.civac(0, 0x48), dc.cvap(0, A)],
    [dc.cvau(0, A), dc.csw(0, operand)],
  ),
  trapped("TPU", 24, [dc.cvau(0, A), ic.ivau(0, A), ic.iallu(0), ic.ialluis(0)], [dc.cvac(0, A)]),
  trapped("TOCU", 52, [dc.cvau(0, A), ic.ivau(0, A), ic.iallu(0)], [ic.ialluis(0)]),
  trapped("TICAB", 50, [ic.ialluis(0)], [ic.iallu(0)]),
  trapped("TDZ", 28, [dc.zva(0, 0x48)], [dc.cvac(0, A)]),
  trapped("TTLB", 25, [tlbi(0, "VAE1", { value: 5 }), record("TLBI_ALL", 0, 0), record("TLBI", 0, 99)], [dsb(0)]),
  trapped(
    "TVM",
    26,
    [msr(0, "SCTLR_EL1", 5), msr(0, "TTBR1_EL1", 2n ** 63n), msr(0, "AMAIR_EL1", 0), sctlr(0, "MC")],
    [msr(0, "CTR_EL0", 1), mrs(0, "SCTLR_EL1"), msr(0, "VTTBR_EL2", 0)],
  ),
  trapped("TRVM", 30, [mrs(0, "SCTLR_EL1"), mrs(0, "FAR_EL1")], [msr(0, "FAR_EL1", 1), mrs(0, "CTR_EL0")]),
  trapped("TID2", 17, [mrs(0, "CTR_EL0"), mrs(0, "CCSIDR_EL1")], [msr(0, "CSSELR_EL1", 1), mrs(0, "TCR_EL1")]),
  trapped("TID4", 49, [mrs(0, "CLIDR_EL1"), mrs(0, "CSSELR_EL1")], [mrs(0, "HCR_EL2")]),
  ask(
    "does nothing trap at EL2?",
    "D38",
    [
      msr(0, "HCR_EL2", bit(22) | bit(23) | bit(25) | bit(26)),
      msr(0, "CONTEXT", EL2),
      dc.csw(0, operand),
      dc.cvac(0, A),
    ],
    { exits: [], records: 4 },
  ),
  ask(
    "what does EL0 have to leave to its kernel?",
    "D49",
    [
      msr(0, "CONTEXT", EL0),
      dc.civac(0, A),
      dc.cvau(0, A),
      ic.ivau(0, A),
      dc.zva(0, A),
      dc.csw(0, operand),
      ic.iallu(0),
      sctlr(0, "MCI"),
      record("TLBI_ALL", 0, 0),
      record("BP_INVALIDATE", 0, 0),
      mrs(0, "CTR_EL0"),
      msr(0, "TCR_EL1", 1),
      tlbi(0, "ALLE1"),
      dsb(0),
      record("ISB", 0, 0),
      record("DMB", 0, 0),
      load(0, A),
      charge(0, "syscall"),
      mrs(0, "CONTEXT"),
      msr(0, "CONTEXT", EL1),
      dc.civac(0, A),
    ],
    { exits: new Array(12).fill({ type: "trap", target: 1, stage: 0 }), records: 9 },
  ),
  ask(
    "may EL0 maintain caches with UCI, and zero with DZE?",
    "D49",
    [
      msr(0, "SCTLR_EL1", SCTLR.ALL | SCTLR.UCI | SCTLR.DZE),
      msr(0, "CONTEXT", EL0),
      dc.civac(0, A),
      dc.cvap(0, A),
      ic.ivau(0, A),
      dc.zva(0, A),
    ],
    { exits: [], records: 6 },
  ),
  ask(
    "does an operation that EL0 may not do go to its kernel before it goes to the hypervisor?",
    "D40",
    [
      msr(0, "HCR_EL2", bit(23)),
      msr(0, "CONTEXT", EL0),
      dc.civac(0, A),
      msr(0, "CONTEXT", EL1),
      msr(0, "SCTLR_EL1", SCTLR.ALL | SCTLR.UCI),
      msr(0, "CONTEXT", EL0),
      dc.civac(0, A),
    ],
    {
      exits: [
        { type: "trap", target: 1 },
        { type: "trap", target: 2 },
      ],
    },
  ),
  ask(
    "does SWIO keep a guest's DC ISW from losing data?",
    "D49",
    [store(0, A, { value: 5n }), msr(0, "HCR_EL2", bit(1)), dc.isw(0, place)],
    { words: { L2: { [A]: 5n } }, hazards: [], copies: { [A]: "L2 M" } },
    tiny,
  ),
  ask(
    "does DC ISW lose data without it?",
    "D28",
    [store(0, A, { value: 5n }), msr(0, "HCR_EL2", bit(2)), dc.isw(0, place)],
    { copies: { [A]: "L2 E" }, hazards: [{ class: "lost-write", record: 2 }] },
    tiny,
  ),
  ask(
    "does the hypervisor's own DC ISW stay one?",
    "D49",
    [store(0, A, { value: 5n }), msr(0, "HCR_EL2", bit(1)), msr(0, "CONTEXT", EL2), dc.isw(0, place)],
    { hazards: [{ class: "lost-write", record: 3 }] },
    tiny,
  ),
  ask(
    "does FB make IC IALLU reach all cores?",
    "D49",
    [record("FETCH", 1, A), msr(0, "HCR_EL2", bit(9)), ic.iallu(0)],
    { copies: { [A]: "L2 E" } },
    { ...guests, l1i: oneSet(4) },
  ),
  ask("are registers what was written?", "D38", [msr(0, "FAR_EL1", 2n ** 64n - 2n), mrs(0, "FAR_EL1")], {
    value: 2n ** 64n - 2n,
  }),
  ask("is SCTLR the register SCTLR_EL1?", "D38", [sctlr(0, "MC"), mrs(0, "SCTLR_EL1")], { value: 5n }),
  ask("does SCTLR_EL1 begin as the machine says, and CONTEXT as EL1?", "D38", [mrs(0, "SCTLR_EL1")], {
    value: 0x1005n,
  }),
  ask("is the first exception level EL1?", "D38", [mrs(0, "CONTEXT")], { value: 1n }),
  ask("does MSR without a value write zero?", "D38", [record("MSR", 0, 0), load(0, A), mrs(0, "SCTLR_EL1")], {
    value: 0n,
    copies: { [A]: "" },
  }),
  ask("is a register that the model lacks an error?", "D38", [record("MSR", 0, 20)], {
    refused: { record: 0, message: /register/ },
  }),
  ask("is reading one an error, too?", "D38", [record("MRS", 0, 99)], { refused: { record: 0, message: /register/ } }),
  ask("is EL3 an error?", "D38", [dsb(0), msr(0, "CONTEXT", 3)], { refused: { record: 1, message: /register|level/ } }),
  ask("is an unknown TLBI an error?", "D53", [record("TLBI", 0, 10)], { refused: { record: 0, message: /TLBI/ } }),
  ask("is an unknown charge an error?", "D54", [record("CHARGE", 0, 4)], {
    refused: { record: 0, message: /charge/i },
  }),
  ask(
    "what does a charge cost?",
    "D54 D55",
    [charge(0, "exit"), charge(0, "entry"), charge(0, "entry"), charge(0, "syscall"), charge(0, "mmioExit")],
    { events: { 0: { exit: 1, entry: 2, syscall: 1, mmioExit: 1 } }, machine: {}, records: 5 },
  ),
  ask("are bits of a prefix that mean nothing an error?", "D39", [record("WITH", 0, 2 ** 45), load(0, A)], {
    refused: { record: 0, message: /attribute|prefix/i },
  }),
  ask("are upper addresses nothing to a core that doesn't translate?", "D39", [load(0, A, { upper: true })], {
    copies: { [A]: "L1D E, L2 E" },
  }),
  {
    ...ask(
      "do records of a translating core exit where others throw?",
      "D40",
      [msr(0, "HCR_EL2", bit(27)), load(0, 0x9000_0000), record("OUTER_CLEAN_PA", 0, 0x9000_0000)],
      {
        exits: [
          { type: "external", target: 1, stage: 0, address: 0x9000_0000, physical: 0x9000_0000 },
          { type: "external", target: 1, stage: 0, address: -1, physical: 0x9000_0000, access: "maintenance" },
        ],
      },
    ),
    translates: true,
  },
  {
    ...ask(
      "does DC by VA of a guest go where its stage 2 says?",
      "D39 D47",
      [
        store(0, PAGE, { value: 5n }),
        ...stageTwoIdentity(0),
        ...stageTwoOn(0),
        dc.cvac(0, PAGE + 3),
        msr(0, "CONTEXT", EL1 | WALKS),
        dc.cvac(0, 2 ** 40),
      ],
      { exits: [{ type: "translation", stage: 1, access: "maintenance" }], words: { memory: { [PAGE]: 5n } } },
    ),
    translates: true,
  },
];
