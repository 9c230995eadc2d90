/**
 * Many equal accesses as the words that an engine plays (D5), written without an object for each: a study's loops are
 * millions of records long.
 */
import { ATTRIBUTES, OPERATIONS, type OperationName } from "../engine/operations.ts";
import type { AttributeName } from "../engine/record.ts";
import { WordBuffer } from "../engine/word-buffer.ts";

export interface Accesses {
  readonly requester: number;
  /** Bytes of one access; the last may be shorter. */
  readonly unitBytes: number;
  readonly attribute: AttributeName;
}

export class AccessWords extends WordBuffer {
  /** Loads, stores or fetches that cover a range one after the other. Requesters from 0 to 255. */
  access(name: "LOAD" | "STORE" | "FETCH", address: number, bytes: number, how: Accesses): this {
    const attribute = (ATTRIBUTES[how.attribute].code + 1) * 2 ** 40;
    for (let at = address; at < address + bytes; at += how.unitBytes) {
      this.push(OPERATIONS.WITH.code, 0, attribute + Math.min(how.unitBytes, address + bytes - at));
      this.push(OPERATIONS[name].code, how.requester, at);
    }
    return this;
  }

  /** One maintenance operation for each line of a range. */
  maintain(name: OperationName, address: number, bytes: number, lineBytes: number, requester: number): this {
    for (let at = address; at < address + bytes; at += lineBytes) this.push(OPERATIONS[name].code, requester, at);
    return this;
  }

  barrier(name: "DSB" | "ISB", requester: number): this {
    return this.push(OPERATIONS[name].code, requester, 0);
  }
}
