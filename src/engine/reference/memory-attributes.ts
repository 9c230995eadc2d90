/**
 * Memory types of translation: what stage 1 gives with its enable bits (D42), what stage 2 makes of it (D43), and which
 * attribute code the caches see in the end (D44). A type is a byte as in MAIR_EL1 and a shareability as in descriptors.
 */
import type { CombineInput, StageOneInput } from "../attributes.ts";
import { ATTRIBUTES, type AttributeCode } from "../operations.ts";

/** Shareability as in descriptors; 1 is read as outer shareable. */
export const NSH = 0;
export const OSH = 2;
export const ISH = 3;

export const DEVICE_NGNRNE = 0x00;
export const DEVICE_NGNRE = 0x04;
export const NORMAL_NC = 0x44;
const WT_READ_ALLOCATE = 0xaa;
const WB_READ_WRITE_ALLOCATE = 0xff;

/** The nibble of Non-cacheable; that of Write-Back with both allocation hints. */
const NC_NIBBLE = 0x4;
const WB_NIBBLE = 0xf;
/** What RGN fields of TCR, TTBR and NMRR encode: NC, Write-Back, Write-Through, Write-Back without write-allocate. */
export const REGION_NIBBLES: readonly number[] = [NC_NIBBLE, WB_NIBBLE, 0xa, 0xe];

export interface MemoryType {
  readonly attr: number;
  readonly sh: number;
}

/** A nibble's cacheability. */
type Cacheability = "NC" | "WT" | "WB";

export const isDevice = (attr: number): boolean => attr < 0x10;
const outerOf = (attr: number): number => attr >> 4;
const innerOf = (attr: number): number => attr & 0xf;
const isUncached = (attr: number): boolean => attr === NORMAL_NC;
const shareability = (sh: number): number => (sh === 1 ? OSH : sh);

/** 0b01RW and 0b11RW are Write-Back, 0b00RW and 0b10RW Write-Through; 0b0100 is Non-cacheable. */
function cacheability(nibble: number): Cacheability {
  if (nibble === NC_NIBBLE) return "NC";
  return (nibble & 4) === 0 ? "WT" : "WB";
}

/** A byte of MAIR_EL1 as a walk reads it: reserved ones are Device-nGnRnE. */
export function mairByte(attr: number): number {
  const isReserved = isDevice(attr) ? (attr & 3) !== 0 : innerOf(attr) === 0;
  return isReserved ? DEVICE_NGNRNE : attr;
}

/** D42: what `WITH` says where stage 1 is flat. */
export function flatMemoryType(code: AttributeCode): MemoryType {
  const attr = [0x00, NORMAL_NC, 0xff, 0xff, 0xbb, 0xfb, 0x4f, 0xf4][code] ?? DEVICE_NGNRNE;
  if (code === ATTRIBUTES.DEVICE.code || code === ATTRIBUTES.NON_CACHEABLE.code) return { attr, sh: OSH };
  return { attr, sh: code === ATTRIBUTES.WRITE_BACK_NON_SHAREABLE.code ? NSH : ISH };
}

/** D42. Stage 2 gets the raw shareability; without it Device and Non-cacheable are outer shareable (D43). */
export function stageOneAttributes(input: StageOneInput): MemoryType {
  const { attr, sh } = stageOneType(input);
  if (!input.s2On && (isDevice(attr) || isUncached(attr))) return { attr, sh: OSH };
  return { attr, sh };
}

function stageOneType({ fetch, m, c, i, dc, tge, attr, sh }: StageOneInput): MemoryType {
  if (dc) return { attr: WB_READ_WRITE_ALLOCATE, sh: NSH };
  if (!m || tge) {
    if (!fetch) return { attr: DEVICE_NGNRNE, sh: OSH };
    return { attr: i ? WT_READ_ALLOCATE : NORMAL_NC, sh: OSH };
  }
  const uncached = fetch ? isDevice(attr) || !i : !isDevice(attr) && !c;
  return { attr: uncached ? NORMAL_NC : attr, sh: shareability(sh) };
}

/** Whether MemAttr means nothing: refused where a walk reads it. */
export function isReservedMemAttr(memAttr: number, fwb: boolean): boolean {
  return fwb ? memAttr === 4 || memAttr >= 8 : memAttr >= 4 && (memAttr & 3) === 0;
}

/** Device types are 0 to 3 whether stage 2 forces Write-Back or not. */
export const isDeviceMemAttr = (memAttr: number): boolean => memAttr < 4;

/** D43: the type that both stages together give. A reserved MemAttr that a TLB kept is Device-nGnRnE. */
export function combineAttributes(input: CombineInput): MemoryType & { readonly reserved: boolean } {
  if (isReservedMemAttr(input.s2MemAttr, input.fwb)) return { attr: DEVICE_NGNRNE, sh: OSH, reserved: true };
  const combined = input.fwb ? combineForced(input) : combineWeakest(input);
  // Nothing is executed from Device memory: such fetches are Non-cacheable.
  const attr = input.fetch && isDevice(combined.attr) ? NORMAL_NC : combined.attr;
  const sh = isDevice(attr) || isUncached(attr) ? OSH : combined.sh;
  return { attr, sh, reserved: false };
}

/** Without FWB: Device beats Normal, and NC beats Write-Through beats Write-Back. HCR_EL2.CD and ID change what stage 2 says. */
function combineWeakest(input: CombineInput): MemoryType {
  const { s1Attr, s1Sh, s2MemAttr, fetch } = input;
  let s2 = stageTwoType(s2MemAttr);
  let s2Sh = input.s2Sh;
  if (isDevice(s2) ? fetch : cachesAreOff(input)) {
    s2 = NORMAL_NC;
    s2Sh = OSH;
  }
  const sh = combinedShareability(s1Sh, s2Sh);
  if (isDevice(s1Attr) && isDevice(s2)) return { attr: Math.min(s1Attr, s2), sh };
  if (isDevice(s1Attr)) return { attr: s1Attr, sh };
  if (isDevice(s2)) return { attr: s2, sh };
  const outer = weaker(outerOf(s1Attr), outerOf(s2));
  const inner = weaker(innerOf(s1Attr), innerOf(s2));
  return { attr: outer * 16 + inner, sh };
}

/** With FWB stage 2 may force Write-Back; CD and ID act on the result. */
function combineForced(input: CombineInput): MemoryType {
  const { s1Attr, s2MemAttr } = input;
  const sh = combinedShareability(input.s1Sh, input.s2Sh);
  const attr = forcedType(s1Attr, s2MemAttr);
  return !isDevice(attr) && cachesAreOff(input) ? { attr: NORMAL_NC, sh: OSH } : { attr, sh };
}

function forcedType(s1Attr: number, memAttr: number): number {
  if (isDeviceMemAttr(memAttr)) {
    const s2 = stageTwoType(memAttr);
    return isDevice(s1Attr) ? Math.min(s1Attr, s2) : s2;
  }
  if (memAttr === 7) return s1Attr;
  if (memAttr === 5) return isDevice(s1Attr) ? s1Attr : NORMAL_NC;
  if (isDevice(s1Attr)) return WB_READ_WRITE_ALLOCATE;
  return forcedNibble(outerOf(s1Attr)) * 16 + forcedNibble(innerOf(s1Attr));
}

const cachesAreOff = ({ fetch, cd, id }: CombineInput): boolean => (fetch ? id : cd);

/** MemAttr without FWB as a byte; allocation hints come from stage 1, so those here mean nothing. */
function stageTwoType(memAttr: number): number {
  if (isDeviceMemAttr(memAttr)) return memAttr * 4;
  const nibbles = [0, NC_NIBBLE, 0xb, WB_NIBBLE];
  return (nibbles[memAttr >> 2] ?? 0) * 16 + (nibbles[memAttr & 3] ?? 0);
}

/** The weaker cacheability with stage 1's hints: bit 2 is what tells Write-Back from Write-Through, transient or not. */
function weaker(s1: number, s2: number): number {
  if (cacheability(s1) === "NC" || cacheability(s2) === "NC") return NC_NIBBLE;
  return cacheability(s2) === "WT" ? s1 & ~4 : s1;
}

function forcedNibble(s1: number): number {
  return cacheability(s1) === "NC" ? WB_NIBBLE : s1 | 4;
}

function combinedShareability(s1: number, s2: number): number {
  const both = [shareability(s1), shareability(s2)];
  if (both.includes(OSH)) return OSH;
  return both.includes(ISH) ? ISH : NSH;
}

/** D44: rows are inner cacheability, columns outer. */
const CODES: Readonly<Record<Cacheability, Readonly<Record<Cacheability, AttributeCode>>>> = {
  NC: { NC: 1, WT: 1, WB: ATTRIBUTES.INNER_NC_OUTER_WB.code },
  WT: { NC: 1, WT: ATTRIBUTES.WRITE_THROUGH.code, WB: ATTRIBUTES.INNER_WT_OUTER_WB.code },
  WB: {
    NC: ATTRIBUTES.INNER_WB_OUTER_NC.code,
    WT: ATTRIBUTES.WRITE_THROUGH.code,
    WB: ATTRIBUTES.WRITE_BACK.code,
  },
};

/** D44. */
export function attributeCode({ attr, sh }: MemoryType): AttributeCode {
  if (isDevice(attr)) return ATTRIBUTES.DEVICE.code;
  const code = CODES[cacheability(innerOf(attr))][cacheability(outerOf(attr))];
  const isWriteBack = code === ATTRIBUTES.WRITE_BACK.code;
  return isWriteBack && sh === NSH ? ATTRIBUTES.WRITE_BACK_NON_SHAREABLE.code : code;
}
