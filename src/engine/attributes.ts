/**
 * How memory attributes combine (D42, D43), asked of the kernel itself: the same code that decides what its accesses see, so
 * that a table of all combinations can be held against it.
 */
import { inlined } from "./kernel.ts";

/** Shareability as descriptors encode it: 0 Non-shareable, 2 Outer, 3 Inner Shareable. */
export type Shareability = 0 | 1 | 2 | 3;

/** An attribute as a byte of MAIR_EL1, with its shareability. */
export interface MemoryAttribute {
  readonly attr: number;
  readonly sh: number;
}

/** What stage 2 combines with stage 1's result. */
export interface CombineInput {
  readonly fetch: boolean;
  readonly s1Attr: number;
  readonly s1Sh: number;
  readonly s2MemAttr: number;
  readonly s2Sh: number;
  /** HCR_EL2.FWB, CD, ID. */
  readonly fwb: boolean;
  readonly cd: boolean;
  readonly id: boolean;
}

/** What decides stage 1's result: enable bits, and what the descriptor (or the access) says. */
export interface StageOneInput {
  readonly fetch: boolean;
  /** SCTLR_EL1.M, C, I. */
  readonly m: boolean;
  readonly c: boolean;
  readonly i: boolean;
  /** HCR_EL2.DC, TGE. */
  readonly dc: boolean;
  readonly tge: boolean;
  readonly s2On: boolean;
  readonly attr: number;
  readonly sh: number;
}

interface Exports {
  combineAttributes(...parameters: number[]): number;
  stageOneAttributes(...parameters: number[]): number;
}

let exports: Exports | undefined;

function kernel(): Exports {
  exports ??= new WebAssembly.Instance(inlined("data"), { env: { abort: () => {} } }).exports as unknown as Exports;
  return exports;
}

const flag = (value: boolean) => (value ? 1 : 0);

function unpacked(bits: number): MemoryAttribute {
  return { attr: bits & 0xff, sh: (bits >> 8) & 3 };
}

/** D43. `reserved`: stage 2's MemAttr means nothing (the rest is then Device-nGnRnE). */
export function combineAttributes(input: CombineInput): MemoryAttribute & { readonly reserved: boolean } {
  const { fetch, s1Attr, s1Sh, s2MemAttr, s2Sh, fwb, cd, id } = input;
  const bits = kernel().combineAttributes(flag(fetch), s1Attr, s1Sh, s2MemAttr, s2Sh, flag(fwb), flag(cd), flag(id));
  return { ...unpacked(bits), reserved: (bits & 0x400) !== 0 };
}

/** D42. */
export function stageOneAttributes(input: StageOneInput): MemoryAttribute {
  const { fetch, m, c, i, dc, tge, s2On, attr, sh } = input;
  const bits = [fetch, m, c, i, dc, tge, s2On].map(flag);
  return unpacked(kernel().stageOneAttributes(...bits, attr, sh));
}
