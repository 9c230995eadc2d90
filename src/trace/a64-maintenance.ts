/** Recognises the A64 instructions whose exact kind a trace's own record loses: cache maintenance by VA, and barriers. */
import { OPERATIONS } from "../engine/operations.ts";

const RT_MASK = 0xffffffe0;
const CRM_MASK = 0xfffff0ff;

/** SYS with op1, CRn, CRm and op2 of Arm ARM C5.3, less the register of the address. */
const BY_ADDRESS: ReadonlyMap<number, number> = new Map([
  [0xd5087620, OPERATIONS.DC_IVAC.code],
  [0xd50b7a20, OPERATIONS.DC_CVAC.code],
  [0xd50b7b20, OPERATIONS.DC_CVAU.code],
  [0xd50b7c20, OPERATIONS.DC_CVAP.code],
  // CVADP: persistence is the PoC here, deep persistence too.
  [0xd50b7d20, OPERATIONS.DC_CVAP.code],
  [0xd50b7e20, OPERATIONS.DC_CIVAC.code],
  [0xd50b7520, OPERATIONS.IC_IVAU.code],
]);

const BARRIERS: ReadonlyMap<number, number> = new Map([
  [0xd503309f, OPERATIONS.DSB.code],
  [0xd50330bf, OPERATIONS.DMB.code],
  [0xd50330df, OPERATIONS.ISB.code],
]);

/** SSBB and PSSBB share DSB's encoding, and are something else. */
const SPECULATION_BARRIERS = new Set([0xd503309f, 0xd503349f]);

/** Operation code of a cache maintenance instruction by VA. */
export const maintenanceOf = (instruction: number): number | undefined => BY_ADDRESS.get((instruction & RT_MASK) >>> 0);

export function barrierOf(instruction: number): number | undefined {
  const word = instruction >>> 0;
  if (SPECULATION_BARRIERS.has(word)) return undefined;
  return BARRIERS.get((word & CRM_MASK) >>> 0);
}
