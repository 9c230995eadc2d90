/** What stops a translated or trapped record (D40, D50): the parts that the place which found it knows. */
import type { Exit } from "../exit.ts";
import type { ExitType } from "../exit-types.ts";

export interface FaultDetail {
  readonly type: ExitType;
  /** 0 where no stage is at fault. */
  readonly stage: 0 | 1 | 2;
  /** -1 where no table level is at fault. */
  readonly level: number;
  /** Of faults of stage 2. */
  readonly ipa?: number;
  /** Of a reserved descriptor, or of what lies outside memory. */
  readonly physical?: number;
  /** Stage 2 or memory failed a table access of stage 1. */
  readonly duringWalk?: boolean;
}

/** Thrown, and always caught: guests fault all the time, so it is no Error, which would take its stack along. */
export class Fault {
  readonly detail: FaultDetail;

  constructor(detail: FaultDetail) {
    this.detail = detail;
  }
}

/** Thrown through the model to `run`: a record that did not play (D40). */
export class Stopped {
  readonly exit: Exit;

  constructor(exit: Exit) {
    this.exit = exit;
  }
}

/** Faults of stage 2 and reserved descriptors are the hypervisor's, all others the guest's. */
export function targetOf({ type, stage }: FaultDetail): 1 | 2 {
  const isGuests = stage !== 2 || type === "alignment" || type === "external";
  return isGuests ? 1 : 2;
}
