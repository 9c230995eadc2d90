/**
 * Why a record did not play (D40): the fault or trap that the architecture gives, with what its syndrome would say.
 * An exit is an ordinary outcome of a guest's record; errors (errors.ts) are for records that mean nothing.
 */
import { RecordError } from "./errors.ts";
import type { ExitAccess, ExitType } from "./exit-types.ts";

/** D50. Addresses are bytes; -1 where there is none. */
export interface Exit {
  readonly type: ExitType;
  /** Exception level that takes it: 1 the guest's kernel, 2 the hypervisor. */
  readonly target: 1 | 2;
  /** Stage of the fault; 0 for traps. */
  readonly stage: 0 | 1 | 2;
  readonly level: number;
  /** Number that the record would have had. */
  readonly record: number;
  /** Index of the record's own word (after its prefixes) in what was given to `run`. */
  readonly word: number;
  readonly requester: number;
  readonly access: ExitAccess;
  /** VA, bits 47:0; `upper`: bits 63:48 are ones. The operand's address for traps of operations by VA, else -1. */
  readonly address: number;
  readonly upper: boolean;
  /** IPA of a stage-2 fault. */
  readonly ipa: number;
  /** Address of the reserved descriptor, or the physical address outside memory. */
  readonly physical: number;
  /** The fault met a table walk of stage 1, not the access itself. */
  readonly duringWalk: boolean;
  /** Operation code, its operand, and the value of its prefixes (0 if none): what a hypervisor emulates. */
  readonly operation: number;
  readonly operand: number;
  readonly value: bigint;
}

/** `play` met an exit; `run` returns it instead. */
export class ExitError extends RecordError {
  readonly exit: Exit;
  constructor(exit: Exit) {
    const where = exit.type === "trap" ? "trap" : `${exit.type} fault, stage ${exit.stage}, level ${exit.level}`;
    super(`${where} taken to EL${exit.target}`, {
      record: exit.record,
      found: exit.address < 0 ? `operation ${exit.operation}` : `0x${exit.address.toString(16)}`,
    });
    this.name = "ExitError";
    this.exit = exit;
  }
}
