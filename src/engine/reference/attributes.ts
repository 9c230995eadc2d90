/** Which memory attribute an access really has (D8), and which caches it goes through with it (D21). */
import type { ResolvedMachine } from "../../machine/resolved.ts";
import { ATTRIBUTES, type AttributeCode, SCTLR_C, SCTLR_I, SCTLR_M } from "../operations.ts";
import type { CacheArray } from "./cache-array.ts";

const DEVICE = ATTRIBUTES.DEVICE.code;
const NON_CACHEABLE = ATTRIBUTES.NON_CACHEABLE.code;
const WRITE_BACK = ATTRIBUTES.WRITE_BACK.code;
export const NON_SHAREABLE = ATTRIBUTES.WRITE_BACK_NON_SHAREABLE.code;
const WRITE_THROUGH = ATTRIBUTES.WRITE_THROUGH.code;
const INNER_WT_OUTER_WB = ATTRIBUTES.INNER_WT_OUTER_WB.code;
const INNER_WB_OUTER_NC = ATTRIBUTES.INNER_WB_OUTER_NC.code;
const INNER_NC_OUTER_WB = ATTRIBUTES.INNER_NC_OUTER_WB.code;

/** How an access is played. `path` is empty unless it is cacheable. */
export interface Manner {
  readonly attribute: AttributeCode;
  readonly cacheable: boolean;
  readonly path: readonly CacheArray[];
}

/** A fetch with stage 1 off allocates in L1I only; its attribute is Normal Write-Through (R8, R34). */
export type FetchManner = Manner & { readonly l1iOnly: boolean };

/** The attribute that SCTLR leaves of what the translation says, for data (R8, R9). */
export function dataAttribute(sctlr: number, isMmio: boolean, given: AttributeCode | undefined): AttributeCode {
  if ((sctlr & SCTLR_M) === 0 || isMmio) return DEVICE;
  const attribute = given ?? WRITE_BACK;
  if (attribute === DEVICE) return DEVICE;
  return (sctlr & SCTLR_C) === 0 ? NON_CACHEABLE : attribute;
}

export function dataManner(
  machine: ResolvedMachine,
  sctlr: number,
  isMmio: boolean,
  given: AttributeCode | undefined,
  path: readonly CacheArray[],
): Manner {
  const attribute = dataAttribute(sctlr, isMmio, given);
  if (attribute === DEVICE || attribute === NON_CACHEABLE) return bypassing(attribute);
  const isWriteBack = attribute === WRITE_BACK || attribute === NON_SHAREABLE;
  if (machine.cacheability === "wb-only" && !isWriteBack) return bypassing(NON_CACHEABLE);
  const filtered = pathFor(machine, attribute, path);
  return filtered.length > 0 ? { attribute, cacheable: true, path: filtered } : bypassing(NON_CACHEABLE);
}

export function fetchManner(
  machine: ResolvedMachine,
  sctlr: number,
  isMmio: boolean,
  given: AttributeCode | undefined,
  path: readonly CacheArray[],
  hasL1i: boolean,
): FetchManner {
  if (isMmio) return { ...bypassing(DEVICE), l1iOnly: false };
  const cached = (sctlr & SCTLR_I) !== 0;
  if (cached && (sctlr & SCTLR_M) === 0) {
    return { attribute: WRITE_THROUGH, cacheable: false, path: [], l1iOnly: true };
  }
  const attribute = given ?? WRITE_BACK;
  const uncached = attribute === DEVICE || attribute === NON_CACHEABLE || attribute === INNER_NC_OUTER_WB;
  if (!cached || uncached) return { ...bypassing(NON_CACHEABLE), l1iOnly: false };
  const filtered = pathFor(machine, attribute, path);
  if (filtered.length === 0 && !hasL1i) return { ...bypassing(NON_CACHEABLE), l1iOnly: false };
  return { attribute, cacheable: true, path: filtered, l1iOnly: false };
}

/** Whether stores of an attribute write through, and stop at a system cache (D21: only `split` gets here with such codes). */
export function writesThrough(attribute: AttributeCode): { readonly stopsAtSystem: boolean } | undefined {
  if (attribute === WRITE_THROUGH) return { stopsAtSystem: false };
  if (attribute === INNER_WT_OUTER_WB) return { stopsAtSystem: true };
  return undefined;
}

/** With `split`, inner cacheability speaks of architected caches and outer cacheability of system caches (R15). */
function pathFor(
  machine: ResolvedMachine,
  attribute: AttributeCode,
  path: readonly CacheArray[],
): readonly CacheArray[] {
  if (machine.cacheability === "wb-only") return path;
  return path.filter(({ cache }) => attribute !== (cache.kind === "system" ? INNER_WB_OUTER_NC : INNER_NC_OUTER_WB));
}

const bypassing = (attribute: AttributeCode): Manner => ({ attribute, cacheable: false, path: [] });
