/**
 * The VMM in user space, as a `Cpu` by guest IPA: its own mapping of the guest's memory, with its own attribute. A page
 * that isn't there yet is backed, not mapped for the guest; a merged one that it writes is copied.
 */
import { Cpu } from "../cpu/cpu.ts";
import type { Engine } from "../engine/engine.ts";
import { ATTRIBUTES, OPERATION_BY_CODE, OPERATIONS } from "../engine/operations.ts";
import { type AttributeName, encodeRecords, type RecordEntry } from "../engine/record.ts";
import { PAGE_BYTES } from "./descriptors.ts";
import type { Vm } from "./vm.ts";

export interface UserOptions {
  /** Where the VMM's thread runs; default the hypervisor's host core. */
  readonly core?: number;
  /** Attribute of its mapping; default Normal Write-Back, as every KVM user space has it. */
  readonly attribute?: AttributeName;
}

const WRITES: readonly number[] = [OPERATIONS.STORE.code, OPERATIONS.ATOMIC.code, OPERATIONS.DC_ZVA.code];
/** Accesses that have a size; the others are of one address. */
const SIZED: readonly number[] = [OPERATIONS.LOAD.code, OPERATIONS.STORE.code, OPERATIONS.FETCH.code];

export class UserCpu extends Cpu {
  readonly engine: Engine;
  readonly core: number;
  readonly #vm: Vm;
  readonly #attribute: AttributeName;

  constructor(vm: Vm, { core = vm.hypervisor.hostCore, attribute = "WRITE_BACK" }: UserOptions = {}) {
    super();
    this.engine = vm.hypervisor.engine;
    this.core = core;
    this.#vm = vm;
    this.#attribute = attribute;
  }

  protected issue(entry: RecordEntry): void {
    const entries = OPERATION_BY_CODE[entry.code]?.operand === "address" ? this.#byPage(entry) : [entry];
    this.#vm.hypervisor.cores.asHost(this.core, () => {});
    this.engine.play(encodeRecords(entries));
  }

  /** One record for each page that an access touches: neighbours by IPA are none in RAM. */
  #byPage(entry: RecordEntry): RecordEntry[] {
    const attribute = entry.attribute ?? ATTRIBUTES[this.#attribute].code;
    const write = WRITES.includes(entry.code);
    const { operand, sizeBytes } = entry;
    if (sizeBytes === undefined || !SIZED.includes(entry.code)) {
      return [{ ...entry, operand: this.#physical(operand, write), attribute }];
    }
    const entries: RecordEntry[] = [];
    for (let at = operand; at < operand + sizeBytes; ) {
      const end = Math.min(operand + sizeBytes, (Math.floor(at / PAGE_BYTES) + 1) * PAGE_BYTES);
      entries.push({ ...entry, operand: this.#physical(at, write), sizeBytes: end - at, attribute });
      at = end;
    }
    return entries;
  }

  #physical(ipa: number, write: boolean): number {
    return this.#vm.hostAddress(ipa, this.core, write);
  }
}
