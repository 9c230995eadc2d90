/**
 * What software on a core can do, as methods: a bare core and a virtual CPU are both a `Cpu`, so a driver, a boot loader
 * or a scenario is written once and runs under either. Every method is one record, or a named sequence of them.
 */
import { CHARGED_EVENTS, type Engine } from "../engine/engine.ts";
import { SetwayError } from "../engine/errors.ts";
import type { Exit } from "../engine/exit.ts";
import type { OperationName } from "../engine/operations.ts";
import { ATTRIBUTES, OPERATIONS, SCTLR_C, SCTLR_I, SCTLR_M } from "../engine/operations.ts";
import { type AttributeName, type RecordDetail, type RecordEntry, record } from "../engine/record.ts";
import {
  SYSTEM_REGISTERS,
  type SystemRegisterName,
  TLBI_INNER_SHAREABLE,
  TLBI_KINDS,
} from "../engine/system-registers.ts";
import { entryOf } from "../machine/nearest.ts";
import { type CoreRegisters, coreRegisters } from "../machine/registers.ts";
import { SET_WAY_ROUTINES, type SetWayRoutine } from "../machine/setway.ts";

/** What software reads of the caches, on whatever it runs. */
export type CacheRegisters = Pick<CoreRegisters, "clidr" | "ctr" | "dczid" | "ccidx" | "readCcsidr">;

/** How one access is made. Sizes are bytes; the default is 8. */
export interface AccessOptions {
  readonly size?: number;
  /** Attribute of a flat mapping; where tables translate, they say it. */
  readonly attribute?: AttributeName;
  /** Bits 63:48 of the VA are ones: the half of TTBR1 (D39). */
  readonly upper?: true;
}

/** By-VA maintenance over a range, line by line. */
export type RangeOperation = "DC_IVAC" | "DC_CVAC" | "DC_CIVAC" | "DC_CVAU" | "DC_CVAP" | "IC_IVAU";

/** A fault that software on the core did not expect: an exit to EL1. `expectFault` turns it into a result. */
export class GuestFault extends SetwayError {
  readonly exit: Exit;
  constructor(exit: Exit) {
    super("record", `${exit.type} fault, stage ${exit.stage}, level ${exit.level}`, {
      record: exit.record,
      found: `0x${Math.max(exit.address, 0).toString(16)}`,
    });
    this.name = "GuestFault";
    this.exit = exit;
  }
}

export abstract class Cpu {
  abstract readonly engine: Engine;
  /** The core that it runs on now. */
  abstract get core(): number;
  /** What its reads of CLIDR, CCSIDR and CTR return: the core's own registers, or what a hypervisor made up. */
  get cacheRegisters(): CacheRegisters {
    return coreRegisters(this.engine.machine, this.core);
  }

  /** Plays one record of this CPU. Throws `GuestFault` where EL1 would take an exception. */
  protected abstract issue(entry: RecordEntry): void;

  /** What the last load, fetch, atomic or MRS got; a hypervisor may have made it up. */
  protected observed(): bigint {
    return this.engine.lastValue();
  }

  /** Plays records that observe nothing, in order. Whoever can hand them over at once overrides this. */
  protected issueAll(entries: Iterable<RecordEntry>): void {
    for (const entry of entries) this.issue(entry);
  }

  operation(name: OperationName, operand = 0, detail: RecordDetail = {}): void {
    entryOf(OPERATIONS, name, "operation");
    this.issue(record(name, this.core, operand, detail));
  }

  load(address: number, options: AccessOptions = {}): bigint {
    return this.observe("LOAD", address, options);
  }

  store(address: number, value: bigint | number, options: AccessOptions = {}): void {
    this.operation("STORE", addressed(address), { ...detailOf(options), value: bitsOf(value) });
  }

  fetch(address: number, options: AccessOptions = {}): bigint {
    return this.observe("FETCH", address, { size: 4, ...options });
  }

  /** Swaps: stores the value and returns what was there. */
  atomic(address: number, value: bigint | number, options: AccessOptions = {}): bigint {
    const { size = 8 } = options;
    this.operation("ATOMIC", addressed(address), { ...detailOf(options), value: bitsOf(value) });
    return BigInt.asUintN(size * 8, this.observed());
  }

  /** A speculative read: fills caches, observes nothing (R19). */
  prefetch(address: number, options: AccessOptions = {}): void {
    this.operation("PREFETCH", addressed(address), detailOf(options));
  }

  /** A speculative instruction fetch: fills what a fetch would, observes nothing (R19). */
  prefetchCode(address: number, options: AccessOptions = {}): void {
    this.operation("SPECULATIVE_FETCH", addressed(address), detailOf({ size: 4, ...options }));
  }

  /** The core's innermost copy goes as if replaced (R19). */
  evict(address: number): void {
    this.operation("EVICT", addressed(address));
  }

  /** Stores every line of a range: one record a line, so that any length is fast to play. */
  fill(address: number, bytes: number, value: bigint | number, options: AccessOptions = {}): void {
    const { core } = this;
    const bits = bitsOf(value);
    this.issueAll(
      map(this.linesOf(address, bytes), ([at, size]) =>
        record("STORE", core, at, { ...detailOf({ ...options, size }), value: bits }),
      ),
    );
  }

  /** Loads every line of a range: one record a line. */
  touch(address: number, bytes: number, options: AccessOptions = {}): void {
    const { core } = this;
    this.issueAll(
      map(this.linesOf(address, bytes), ([at, size]) => record("LOAD", core, at, detailOf({ ...options, size }))),
    );
  }

  /** One by-VA operation for each smallest line of a range; barriers are the caller's. */
  maintain(operation: RangeOperation, address: number, bytes: number, options: AccessOptions = {}): void {
    // These are of one address: no size.
    const { sizeBytes: _, ...detail } = detailOf(options);
    entryOf(OPERATIONS, operation, "operation");
    const { core } = this;
    this.issueAll(map(this.linesOf(address, bytes), ([at]) => record(operation, core, at, detail)));
  }

  dsb(): void {
    this.operation("DSB");
  }
  isb(): void {
    this.operation("ISB");
  }
  dmb(): void {
    this.operation("DMB");
  }

  /** Counts one cost event that no record stands for: a system call, an exit to user space (D54). */
  charge(event: (typeof CHARGED_EVENTS)[number]): void {
    const events = Object.fromEntries(CHARGED_EVENTS.map((name, index) => [name, index]));
    this.operation("CHARGE", entryOf(events, event, "event"));
  }

  /** Writes SCTLR_EL1: the named bits are set, M, C and I not named are cleared (R9). */
  sctlr(bits: { readonly m: boolean; readonly c: boolean; readonly i: boolean }): void {
    const value = (bits.m ? SCTLR_M : 0) | (bits.c ? SCTLR_C : 0) | (bits.i ? SCTLR_I : 0);
    this.operation("SCTLR", value);
  }

  msr(name: SystemRegisterName, value: bigint): void {
    this.operation("MSR", entryOf(SYSTEM_REGISTERS, name, "system register").number, { value: bitsOf(value) });
  }

  mrs(name: SystemRegisterName): bigint {
    this.operation("MRS", entryOf(SYSTEM_REGISTERS, name, "system register").number);
    return this.observed();
  }

  /** TLBI of a kind with its register as the architecture has it, on all cores unless told otherwise (D53). */
  tlbi(kind: keyof typeof TLBI_KINDS, value = 0n, innerShareable = true): void {
    this.operation("TLBI", entryOf(TLBI_KINDS, kind, "kind of TLBI") | (innerShareable ? TLBI_INNER_SHAREABLE : 0), {
      value,
    });
  }

  /** One of Linux's set/way loops, with the operands that this CPU's registers give. Returns how many operations ran. */
  setWayLoop(routine: keyof typeof SET_WAY_ROUTINES, operation?: "DC_ISW" | "DC_CSW" | "DC_CISW"): number {
    const loop: SetWayRoutine = entryOf<SetWayRoutine>(SET_WAY_ROUTINES, routine, "set/way loop");
    let count = 0;
    for (const operand of loop.operands(this.readCacheRegisters())) {
      this.operation(operation ?? loop.operation, operand);
      count++;
    }
    return count;
  }

  /** The registers as a set/way loop reads them: CCSIDR one level at a time. */
  protected readCacheRegisters(): CacheRegisters {
    return this.cacheRegisters;
  }

  /** Runs what must fault, and returns the fault; undefined if it did not. */
  expectFault(body: () => void): Exit | undefined {
    try {
      body();
    } catch (error) {
      if (error instanceof GuestFault) return error.exit;
      throw error;
    }
    return undefined;
  }

  private observe(name: "LOAD" | "FETCH", address: number, options: AccessOptions): bigint {
    const { size = 8 } = options;
    this.operation(name, addressed(address), detailOf(options));
    return BigInt.asUintN(8 * Math.min(size, 8), this.observed());
  }

  private *linesOf(address: number, bytes: number): Generator<readonly [number, number]> {
    const line = this.engine.machine.smallestLineBytes;
    const behind = addressed(address) + lengthOf(bytes);
    for (let at = address; at < behind; ) {
      const end = Math.min(behind, (Math.floor(at / line) + 1) * line);
      yield [at, end - at];
      at = end;
    }
  }
}

/** Checks what a user's own file gives; an address that was forgotten is none. */
function addressed(address: number): number {
  return natural(address, "no address", "a whole number of bytes, 0 or more");
}

const lengthOf = (bytes: number): number => natural(bytes, "no length", "a whole number of bytes, 0 or more");

function natural(value: number, what: string, expected: string): number {
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new SetwayError("usage", what, { found: String(value), expected });
}

function bitsOf(value: bigint | number): bigint {
  if (typeof value === "bigint" || Number.isSafeInteger(value)) return BigInt(value);
  throw new SetwayError("usage", "no value to store", {
    found: String(value),
    expected: "a bigint, or a number that is exact",
  });
}

function detailOf({ size = 8, attribute, upper }: AccessOptions): RecordDetail {
  if (attribute !== undefined) entryOf(ATTRIBUTES, attribute, "attribute");
  return {
    sizeBytes: size,
    ...(attribute === undefined ? {} : { attribute }),
    ...(upper === undefined ? {} : { upper }),
  };
}

function* map<From, To>(items: Iterable<From>, change: (item: From) => To): Generator<To, void, undefined> {
  for (const item of items) yield change(item);
}
