/**
 * Random guests for streams: address spaces, their system registers, cores that enter and leave them, and everything that a
 * hypervisor and its guests do with translation, right and wrong. Cores that run guests either translate or are at EL2,
 * so their records exit but never err.
 */
import { CHARGED_EVENTS } from "../../src/engine/engine.ts";
import type { OperationName } from "../../src/engine/operations.ts";
import { type RecordDetail, type RecordEntry, record } from "../../src/engine/record.ts";
import {
  CONTEXT_AARCH32,
  CONTEXT_WALKS,
  HCR,
  SYSTEM_REGISTERS,
  type SystemRegisterName,
  TLBI_INNER_SHAREABLE,
  TLBI_KINDS,
} from "../../src/engine/system-registers.ts";
import type { ResolvedMachine } from "../../src/machine/resolved.ts";
import type { Draw } from "./random-machine.ts";
import {
  anyPage,
  anyWord,
  type Entry,
  type Format,
  LongTables,
  ShortTables,
  type Slot,
  stageOneLeaf,
  stageTwoLeaf,
  TablePages,
} from "./random-tables.ts";

/** Registers of a guest, and where its accesses can go. */
interface Guest {
  readonly format: Format;
  readonly registers: Map<SystemRegisterName, bigint>;
  readonly slots: readonly Slot[];
  readonly stageOne: readonly (LongTables | ShortTables)[];
  readonly stageTwo: LongTables | undefined;
  /** Bits that `short` first levels resolve for an address. */
  readonly indexBits: (address: number) => number;
}

const PAGE = 0x1000;
const EL2 = 2n;
const MAIR_BYTES: readonly number[] = [
  0x00, 0x04, 0x0c, 0x44, 0xff, 0xff, 0xff, 0xbb, 0xfb, 0xf4, 0x4f, 0x77, 0x40, 0x11,
];
const TRAPS: readonly (keyof typeof HCR)[] = [
  "TSW",
  "TPC",
  "TPU",
  "TTLB",
  "TVM",
  "TDZ",
  "TRVM",
  "TID2",
  "TID4",
  "TICAB",
  "TOCU",
];
/** Which registers a stream changes on the way. */
const CHANGED: readonly SystemRegisterName[] = [
  "SCTLR_EL1",
  "SCTLR_EL1",
  "SCTLR_EL1",
  "TCR_EL1",
  "MAIR_EL1",
  "HCR_EL2",
  "HCR_EL2",
  "HCR_EL2",
  "VTCR_EL2",
  "CONTEXTIDR_EL1",
  "DACR",
  "TTBR0_EL1",
  "TTBR1_EL1",
  "VTTBR_EL2",
];
const ACCESSES: readonly OperationName[] = ["LOAD", "LOAD", "LOAD", "STORE", "STORE", "FETCH", "FETCH"];
const OTHERS: readonly OperationName[] = [
  "ATOMIC",
  "PREFETCH",
  "SPECULATIVE_FETCH",
  "EVICT",
  "DC_IVAC",
  "DC_CVAC",
  "DC_CIVAC",
  "DC_CVAU",
  "DC_CVAP",
  "DC_ZVA",
  "IC_IVAU",
];

const flag = (on: boolean, at: number): bigint => (on ? 1n << BigInt(at) : 0n);
const put = (value: number, at: number): bigint => BigInt(value) << BigInt(at);

export class Guests {
  private readonly draw: Draw;
  private readonly machine: ResolvedMachine;
  private readonly out: RecordEntry[];
  private readonly pages: TablePages;
  private readonly guests: readonly Guest[];
  /** By core that runs guests: which, and what its registers hold as far as this file wrote them. */
  private readonly state = new Map<number, { guest: Guest; context: bigint; hcr: bigint }>();

  constructor(draw: Draw, machine: ResolvedMachine, out: RecordEntry[]) {
    this.draw = draw;
    this.machine = machine;
    this.out = out;
    this.pages = new TablePages(draw);
    this.guests = Array.from({ length: draw.pick([1, 1, 2]) }, () => this.newGuest());
    const cores = draw.int(1, Math.min(3, machine.cores.length));
    const first = draw.int(0, machine.cores.length - cores);
    for (let core = first; core < first + cores; core++) {
      this.state.set(core, { guest: draw.pick(this.guests), context: 1n, hcr: 0n });
    }
  }

  /** Whether the core runs guests: its records never err. */
  runs(core: number): boolean {
    return this.state.has(core);
  }

  /** Writes all tables, then lets every core that runs guests enter one. */
  start(): void {
    const [core] = this.state.keys();
    for (const guest of this.guests) {
      const entries = [...guest.stageOne, guest.stageTwo].flatMap((tables) => tables?.entries ?? []);
      this.asHypervisor(core ?? 0, () => {
        for (const entry of entries) this.write(core ?? 0, entry);
      });
    }
    for (const each of this.state.keys()) this.enter(each);
  }

  /** What a stream with guests does, with how often. */
  kinds(): { weight: number; emit: () => void }[] {
    const { draw } = this;
    return [
      { weight: 22, emit: () => this.access(draw.pick(ACCESSES)) },
      { weight: 8, emit: () => this.access(draw.pick(OTHERS)) },
      { weight: 2, emit: () => this.changeTables() },
      { weight: 4, emit: () => this.invalidate() },
      { weight: 3, emit: () => this.changeRegister() },
      { weight: 2, emit: () => this.switchLevel() },
      { weight: 2, emit: () => this.enter(this.anyCore()) },
      { weight: 1, emit: () => this.readRegister() },
      { weight: 1, emit: () => this.charge() },
      { weight: 1, emit: () => this.flush() },
      { weight: 1, emit: () => this.hypervisorAccess() },
    ];
  }

  private anyCore(): number {
    return this.draw.pick([...this.state.keys()]);
  }

  private stateOf(core: number) {
    const state = this.state.get(core);
    if (!state) throw new Error(`core ${core} runs no guest`);
    return state;
  }

  private msr(core: number, name: SystemRegisterName, value: bigint): void {
    const state = this.stateOf(core);
    if (name === "CONTEXT") state.context = value;
    if (name === "HCR_EL2") state.hcr = value;
    this.out.push(record("MSR", core, SYSTEM_REGISTERS[name].number, { value }));
  }

  /** At EL2 nothing is trapped, and addresses are physical. */
  private asHypervisor(core: number, body: () => void): void {
    const { context } = this.stateOf(core);
    const isThere = (context & 3n) === EL2;
    if (!isThere) this.msr(core, "CONTEXT", EL2);
    body();
    if (!isThere) this.msr(core, "CONTEXT", context);
  }

  /** A context in which the core translates: only so do its records exit where others err. */
  private guestContext(core: number): bigint {
    const { guest, hcr } = this.stateOf(core);
    const isWalking = guest.format !== "flat" || (hcr & (HCR.VM | HCR.DC | HCR.TGE)) === 0n;
    const is32Bit =
      guest.format === "lpae" || guest.format === "short" || (guest.format === "flat" && this.draw.chance(20));
    const context = (isWalking ? BigInt(CONTEXT_WALKS) : 0n) | (is32Bit ? BigInt(CONTEXT_AARCH32) : 0n);
    return context | (this.draw.chance(25) ? 0n : 1n);
  }

  private enter(core: number): void {
    const state = this.stateOf(core);
    state.guest = this.draw.pick(this.guests);
    if ((state.context & 3n) !== EL2) this.msr(core, "CONTEXT", EL2);
    for (const [name, value] of state.guest.registers) this.msr(core, name, value);
    this.msr(core, "CONTEXT", this.guestContext(core));
  }

  private write(core: number, { address, value, bytes }: Entry): void {
    const attribute = this.draw.chance(8) ? ({ attribute: "NON_CACHEABLE" } as const) : {};
    const size = bytes === 4 ? { sizeBytes: 4 } : {};
    this.out.push(record("STORE", core, address, { value, ...size, ...attribute }));
  }

  private anyAddress(core: number): RecordDetail & { readonly operand: number } {
    const { draw } = this;
    const { guest } = this.stateOf(core);
    const slot = draw.pick(guest.slots);
    const line = draw.int(0, 3) * this.machine.largestLineBytes;
    const offset = draw.chance(8)
      ? PAGE - draw.int(1, 16)
      : line + (draw.chance(20) ? draw.int(0, 63) : draw.int(0, 3) * 8);
    const wild = draw.chance(2) ? draw.pick([2 ** 30, 2 ** 39, 2 ** 47]) : 0;
    return {
      operand: (slot.address + offset + wild) % 2 ** 48,
      ...(slot.upper !== draw.chance(2) ? { upper: true } : {}),
    };
  }

  private access(name: OperationName): void {
    const { draw } = this;
    const core = this.anyCore();
    if ((this.stateOf(core).context & 3n) === EL2) {
      this.hypervisorAccess(core);
      return;
    }
    if (name === "DC_ZVA" && this.machine.zvaBytes === 0) return;
    const { operand, ...detail } = this.anyAddress(core);
    const size = draw.chance(25) ? { sizeBytes: draw.pick([1, 2, 4, 8, 16, 24, draw.int(1, 300), PAGE + 8]) } : {};
    const attribute = draw.chance(20)
      ? { attribute: draw.pick(["DEVICE", "NON_CACHEABLE", "WRITE_BACK_NON_SHAREABLE", "WRITE_THROUGH"] as const) }
      : {};
    this.out.push(record(name, core, operand, { ...detail, ...size, ...attribute }));
  }

  /** An access to data or tables by their physical address. */
  private hypervisorAccess(core = this.anyCore()): void {
    const { draw } = this;
    const address = draw.pick([0, 0, 1, 2, 3, 8, 9, 10]) * PAGE + draw.int(0, 3) * this.machine.largestLineBytes;
    const name = draw.pick(["LOAD", "LOAD", "STORE", "DC_CIVAC", "DC_CVAC", "DC_IVAC"] as const);
    this.asHypervisor(core, () => this.out.push(record(name, core, address)));
  }

  /** A leaf or table that changes, mostly without the TLBI that it needs. */
  private changeTables(): void {
    const { draw } = this;
    const core = this.anyCore();
    const { guest } = this.stateOf(core);
    const slot = draw.pick(guest.slots);
    const entries: Entry[] = [];
    const { stageTwo } = guest;
    if (stageTwo && draw.chance(40)) {
      const fwb = ((guest.registers.get("HCR_EL2") ?? 0n) & HCR.FWB) !== 0n;
      const address = draw.int(0, 15) * PAGE;
      entries.push(...stageTwo.map(address, draw.pick([3, 3, 3, 2]), anyPage(draw), stageTwoLeaf(draw, fwb)));
    } else {
      const tables = draw.pick(guest.stageOne.length === 0 ? [undefined] : guest.stageOne);
      if (tables instanceof ShortTables) {
        entries.push(...tables.map(slot.address, guest.indexBits(slot.address), anyPage(draw)));
      } else if (tables) {
        const level = draw.chance(80) ? 3 : draw.int(1, 2);
        entries.push(...tables.map(slot.address, level, anyPage(draw), stageOneLeaf(draw)));
      }
    }
    const all = [...guest.stageOne, stageTwo].flatMap((tables) => tables?.entries ?? []);
    if (all.length > 0 && draw.chance(20)) {
      const { address, bytes, value } = draw.pick(all);
      entries.push({ address, bytes, value: this.spoilt(value, bytes) });
    }
    this.asHypervisor(core, () => {
      for (const entry of entries) {
        this.write(core, entry);
        if (draw.chance(25)) this.out.push(record(draw.pick(["DC_CVAC", "DC_CIVAC"] as const), core, entry.address));
      }
    });
    if (draw.chance(40)) this.invalidate(core);
  }

  private spoilt(value: bigint, bytes: 4 | 8): bigint {
    const { draw } = this;
    const mask = bytes === 4 ? 0xffff_ffffn : 0xffff_ffff_ffff_ffffn;
    const bits = bytes === 4 ? 31 : 63;
    const spoilt = draw.pick([
      () => anyWord(draw),
      () => anyWord(draw) | 3n,
      () => value ^ (1n << BigInt(draw.int(0, bits))),
      () => value ^ (1n << BigInt(draw.int(0, 11))),
      () => 0n,
      // A table that points at itself, or at what is no table.
      () => put(draw.int(0, 31), 12) | 3n,
      () => value | put(1, draw.int(33, 47)),
    ])();
    return spoilt & mask;
  }

  private invalidate(core = this.anyCore()): void {
    const { draw } = this;
    const { guest } = this.stateOf(core);
    if (draw.chance(15)) {
      this.out.push(record("TLBI_ALL", core, 0));
      return;
    }
    const kind = draw.pick(Object.values(TLBI_KINDS));
    const { address, upper } = draw.pick(guest.slots);
    const asid = draw.pick([1n, 2n, 0x101n]);
    const isByIpa = kind === TLBI_KINDS.IPAS2E1 || kind === TLBI_KINDS.IPAS2LE1;
    const page = BigInt(isByIpa ? draw.int(0, 15) : Math.floor(address / PAGE));
    const wide = (asid << 48n) | flag(upper, 43) | page;
    const narrow = (page << 12n) | (asid & 0xffn);
    const is32Bit = guest.format === "lpae" || guest.format === "short";
    const value = is32Bit && !isByIpa && draw.chance(80) ? narrow : wide;
    const operand = kind + (draw.chance(50) ? TLBI_INNER_SHAREABLE : 0);
    const emit = () => this.out.push(record("TLBI", core, operand, { value }));
    if (isByIpa || draw.chance(30)) this.asHypervisor(core, emit);
    else emit();
  }

  private changeRegister(): void {
    const { draw } = this;
    const core = this.anyCore();
    const { guest } = this.stateOf(core);
    const name = draw.pick(CHANGED);
    const old = guest.registers.get(name) ?? 0n;
    const value =
      name === "HCR_EL2"
        ? this.hcr(guest.stageTwo !== undefined)
        : name === "SCTLR_EL1"
          ? this.sctlr()
          : draw.chance(40)
            ? old ^ (1n << BigInt(draw.int(0, 63)))
            : old;
    this.asHypervisor(core, () => this.msr(core, name, value));
    // The context must stay one in which the core translates.
    const { context } = this.stateOf(core);
    if ((context & 3n) !== EL2) this.msr(core, "CONTEXT", this.guestContext(core));
    if (draw.chance(30)) this.out.push(record("MSR", core, SYSTEM_REGISTERS.CONTEXTIDR_EL1.number, { value: 1n }));
  }

  private switchLevel(): void {
    const core = this.anyCore();
    this.msr(core, "CONTEXT", this.draw.chance(15) ? EL2 : this.guestContext(core));
  }

  private readRegister(): void {
    const all = Object.values(SYSTEM_REGISTERS);
    this.out.push(record("MRS", this.anyCore(), this.draw.pick(all).number));
  }

  private charge(): void {
    this.out.push(record("CHARGE", this.anyCore(), this.draw.int(0, CHARGED_EVENTS.length - 1)));
  }

  private flush(): void {
    const { draw } = this;
    const start = draw.pick([0, 0, PAGE, draw.int(0, 8 * PAGE), 2 ** 40]);
    const value = BigInt(draw.pick([64, PAGE, 2 * PAGE, 8 * PAGE, draw.int(0, 3 * PAGE)]));
    this.out.push(record("FLUSH_STAGE2", this.anyCore(), start, { value }));
  }

  // Guests

  private newGuest(): Guest {
    const { draw } = this;
    const format = draw.pick(["aarch64", "aarch64", "lpae", "short", "flat"] as const);
    const registers = new Map<SystemRegisterName, bigint>();
    const slots: Slot[] = [];
    const stageOne: (LongTables | ShortTables)[] = [];
    let indexBits = (_address: number): number => 12;
    registers.set("SCTLR_EL1", this.sctlr());
    registers.set(
      "MAIR_EL1",
      MAIR_BYTES.slice(0, 8).reduce((mair) => (mair << 8n) | BigInt(draw.pick(MAIR_BYTES)), 0n),
    );
    registers.set("CONTEXTIDR_EL1", BigInt(draw.int(1, 2)));
    if (format === "aarch64") this.addAarch64(registers, slots, stageOne);
    else if (format === "lpae") this.addLpae(registers, slots, stageOne);
    else if (format === "short") indexBits = this.addShort(registers, slots, stageOne);
    else for (const page of [0, 0, 1, 2, 8]) slots.push({ address: page * PAGE, upper: false });
    const hasStageTwo = format === "flat" || draw.chance(60);
    const hcr = this.hcr(hasStageTwo);
    const stageTwo = this.stageTwo(registers, (hcr & HCR.FWB) !== 0n);
    registers.set("HCR_EL2", hcr);
    return { format, registers, slots, stageOne, stageTwo, indexBits };
  }

  private sctlr(): bigint {
    const { draw } = this;
    // M, C, I, then DZE, WXN, UCI, TRE and AFE.
    return [
      [0, 92],
      [2, 90],
      [12, 90],
      [14, 60],
      [19, 10],
      [26, 60],
      [28, 50],
      [29, 30],
    ].reduce((value, [at = 0, percent = 0]) => value | flag(draw.chance(percent), at), 0n);
  }

  private hcr(hasStageTwo: boolean): bigint {
    const { draw } = this;
    let value = 0n;
    const add = (name: keyof typeof HCR, percent: number) => {
      if (draw.chance(percent)) value |= HCR[name];
    };
    add("VM", hasStageTwo ? 97 : 0);
    add("FWB", 30);
    add("PTW", 20);
    add("SWIO", 30);
    add("FB", 30);
    add("CD", 6);
    add("ID", 6);
    add("DC", 6);
    add("TGE", 4);
    if (draw.chance(30)) for (const name of TRAPS) add(name, 25);
    return value;
  }

  /** IRGN, ORGN and SH of TCR and VTCR. */
  private walkBits(low: number): bigint {
    const { draw } = this;
    const cacheable = draw.chance(70);
    return (
      put(cacheable ? 1 : draw.int(0, 3), low) |
      put(cacheable ? 1 : draw.int(0, 3), low + 2) |
      put(cacheable ? 3 : draw.int(0, 3), low + 4)
    );
  }

  private addAarch64(
    registers: Map<SystemRegisterName, bigint>,
    slots: Slot[],
    stageOne: (LongTables | ShortTables)[],
  ): void {
    const { draw } = this;
    const t0sz = draw.pick([25, 25, 25, 16, 32, 36, 39]);
    const t1sz = draw.pick([25, 25, 16, 30]);
    let tcr = put(t0sz, 0) | put(t1sz, 16) | this.walkBits(8) | this.walkBits(24);
    tcr |= flag(draw.chance(3), 7) | flag(draw.chance(3), 23) | flag(draw.chance(30), 22) | flag(draw.chance(50), 36);
    tcr |= put(draw.pick([0, 1, 2, 5, 5, 5, 7]), 32);
    registers.set("TCR_EL1", tcr);
    for (const [upper, size] of [
      [false, t0sz],
      [true, t1sz],
    ] as const) {
      if (upper && draw.chance(40)) continue;
      const inputBits = 64 - size;
      const firstLevel = 4 - Math.ceil((inputBits - 12) / 9);
      const tables = new LongTables(draw, this.pages, firstLevel, inputBits);
      this.mapSlots(tables, slots, inputBits, upper);
      stageOne.push(tables);
      const asid = draw.pick([1n, 2n, 0x101n]) << 48n;
      registers.set(upper ? "TTBR1_EL1" : "TTBR0_EL1", BigInt(tables.root) | asid | flag(draw.chance(20), 0));
    }
  }

  private mapSlots(tables: LongTables, slots: Slot[], inputBits: number, upper: boolean): void {
    const { draw } = this;
    const base = upper && inputBits < 48 ? 2 ** 48 - 2 ** inputBits : 0;
    const [identity, pages, block, giant] = [0, 2 ** 21, 3 * 2 ** 21, 2 ** 30];
    // Addresses of the machine mean themselves to many a guest.
    if (draw.chance(75)) tables.map(base, 2, 0, stageOneLeaf(draw) | put(1, 10));
    for (let count = draw.int(2, 5); count > 0; count--) {
      const where = draw.pick([identity, pages, pages, pages, block, inputBits > 30 ? giant : pages]);
      const level = draw.chance(5) ? draw.int(1, 3) : where === pages ? 3 : where === giant ? 1 : 2;
      const address = base + where + draw.int(0, 3) * PAGE;
      if (draw.chance(95)) tables.map(address, level, anyPage(draw), stageOneLeaf(draw));
      slots.push({ address, upper });
    }
  }

  private addLpae(
    registers: Map<SystemRegisterName, bigint>,
    slots: Slot[],
    stageOne: (LongTables | ShortTables)[],
  ): void {
    const { draw } = this;
    const t0sz = draw.pick([0, 0, 1, 2, 7]);
    const t1sz = draw.pick([0, 0, 1, 3]);
    let ttbcr = (1n << 31n) | put(t0sz, 0) | put(t1sz, 16) | this.walkBits(8) | this.walkBits(24);
    ttbcr |= flag(draw.chance(3), 7) | flag(draw.chance(3), 23) | flag(draw.chance(30), 22);
    registers.set("TCR_EL1", ttbcr);
    for (const upper of [false, true]) {
      const size = upper ? t1sz : t0sz;
      if (upper && t0sz === 0 && t1sz === 0) continue;
      const inputBits = 32 - size;
      const tables = new LongTables(draw, this.pages, inputBits > 30 ? 1 : 2, inputBits);
      const own: Slot[] = [];
      this.mapSlots(tables, own, inputBits, false);
      // Of the upper half the tables are indexed by the bits below its size.
      const top = t1sz > 0 ? 2 ** 32 - 2 ** inputBits : 2 ** (32 - t0sz);
      for (const { address } of own) slots.push({ address: (upper ? top + address : address) % 2 ** 32, upper: false });
      stageOne.push(tables);
      const asid = draw.pick([1n, 2n]) << 48n;
      registers.set(upper ? "TTBR1_EL1" : "TTBR0_EL1", BigInt(tables.root) | asid);
    }
  }

  private addShort(
    registers: Map<SystemRegisterName, bigint>,
    slots: Slot[],
    stageOne: (LongTables | ShortTables)[],
  ): (address: number) => number {
    const { draw } = this;
    const n = draw.pick([0, 0, 1, 3, 7]);
    registers.set("TCR_EL1", put(n, 0) | flag(draw.chance(3), 4) | flag(draw.chance(3), 5));
    registers.set("DACR", BigInt(draw.pick([0x5555_5555, 0x5555_5555, 0x5555_5557, 0x4000_0011, 0xffff_ffff])));
    const isLower = (address: number) => n === 0 || address < 2 ** (32 - n);
    const indexBits = (address: number) => (isLower(address) ? 12 - n : 12);
    for (const upper of [false, true]) {
      if (upper && n === 0) continue;
      const tables = new ShortTables(draw, this.pages);
      if (draw.chance(60)) tables.mapSection(upper ? 2 ** 31 : 0, indexBits(upper ? 2 ** 31 : 0));
      for (let count = draw.int(2, 5); count > 0; count--) {
        const block = draw.pick([0, 2 ** 20, 2 ** 20, 2 ** 24]);
        const address = (upper ? 2 ** 31 : 0) + block + draw.int(0, 3) * PAGE;
        if (draw.chance(92)) tables.map(address, indexBits(address), anyPage(draw));
        slots.push({ address, upper: false });
      }
      stageOne.push(tables);
      const how = [1, 3, 4, 5, 6].reduce((bits, at) => bits | flag(draw.chance(50), at), flag(draw.chance(40), 0));
      registers.set(upper ? "TTBR1_EL1" : "TTBR0_EL1", BigInt(tables.root) | how);
    }
    return indexBits;
  }

  private stageTwo(registers: Map<SystemRegisterName, bigint>, fwb: boolean): LongTables {
    const { draw } = this;
    const [inputBits, sl0] = draw.pick([
      [39, 1],
      [40, 1],
      [32, 1],
      [32, 0],
      [34, 0],
      [24, 0],
      [48, 2],
      [43, 1],
    ] as const);
    const tables = new LongTables(draw, this.pages, 2 - sl0, inputBits);
    let vtcr = put(64 - inputBits, 0) | put(sl0, 6) | this.walkBits(8) | put(draw.pick([0, 1, 2, 5, 5, 5]), 16);
    vtcr |= flag(draw.chance(50), 19);
    if (draw.chance(4)) vtcr ^= 1n << BigInt(draw.int(0, 18));
    registers.set("VTCR_EL2", vtcr);
    registers.set("VTTBR_EL2", BigInt(tables.root) | (draw.pick([1n, 2n, 0x101n]) << 48n));
    const leaf = () => stageTwoLeaf(draw, fwb);
    if (draw.chance(60)) tables.map(0, draw.pick([2, 2, 1]), 0, leaf() | put(3, 6) | put(1, 10));
    // Single pages: data and tables, those of stage 1 included.
    else for (const page of this.pages.used()) if (draw.chance(97)) tables.map(page * PAGE, 3, page, leaf());
    return tables;
  }
}
