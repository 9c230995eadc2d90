/**
 * Records in the making: the host's hand is many short sequences, and a guest's fault may zero and clean hundreds of lines,
 * so they are written as words at once and played in one go.
 */

import { CHARGED_EVENTS } from "../engine/engine.ts";
import { NARROW_REQUESTERS, OPERATIONS, type OperationName } from "../engine/operations.ts";
import {
  SYSTEM_REGISTERS,
  type SystemRegisterName,
  TLBI_INNER_SHAREABLE,
  TLBI_KINDS,
} from "../engine/system-registers.ts";
import { WordBuffer } from "../engine/word-buffer.ts";

export class RecordBuffer extends WordBuffer {
  #requester = 0;

  /** Empties it, for records of one requester. */
  begin(requester: number): this {
    this.#requester = requester;
    this.empty();
    return this;
  }

  /** One record. Size 0 means none is given (D5). */
  operation(name: OperationName, operand = 0, sizeBytes = 0, requester = this.#requester): this {
    const wide = requester >= NARROW_REQUESTERS;
    if (wide || sizeBytes > 0) {
      this.push(OPERATIONS.WITH.code, 0, sizeBytes + (wide ? requester + 1 : 0) * 2 ** 24);
    }
    return this.push(OPERATIONS[name].code, wide ? NARROW_REQUESTERS - 1 : requester, operand);
  }

  /** One record that has a value. */
  valued(name: OperationName, operand: number, value: bigint, sizeBytes = 0, requester = this.#requester): this {
    this.push(OPERATIONS.VALUE_LOW.code, 0, Number(value & 0xffff_ffffn));
    const high = Number((value >> 32n) & 0xffff_ffffn);
    if (high !== 0) this.push(OPERATIONS.VALUE_HIGH.code, 0, high);
    return this.operation(name, operand, sizeBytes, requester);
  }

  store(address: number, value: bigint, sizeBytes = 8): this {
    return this.valued("STORE", address, value, sizeBytes);
  }

  /** One operation a line of a range. */
  lines(name: OperationName, address: number, bytes: number, lineBytes: number): this {
    for (let at = address; at < address + bytes; at += lineBytes) this.operation(name, at);
    return this;
  }

  msr(name: SystemRegisterName, value: bigint): this {
    return this.valued("MSR", SYSTEM_REGISTERS[name].number, value);
  }

  mrs(name: SystemRegisterName): this {
    return this.operation("MRS", SYSTEM_REGISTERS[name].number);
  }

  tlbi(kind: keyof typeof TLBI_KINDS, value = 0n, innerShareable = true): this {
    return this.valued("TLBI", TLBI_KINDS[kind] | (innerShareable ? TLBI_INNER_SHAREABLE : 0), value);
  }

  charge(event: (typeof CHARGED_EVENTS)[number]): this {
    return this.operation("CHARGE", CHARGED_EVENTS.indexOf(event));
  }
}
