// Memory attributes as the architecture combines them: what stage 1 says in effect (D42), what stage 2 makes of it (D43), and
// which of the model's codes the caches then see (D44). Numbers only; nothing here knows where they come from.

import {
  ATTR_DEVICE,
  ATTR_INNER_NC_OUTER_WB,
  ATTR_INNER_WB_OUTER_NC,
  ATTR_INNER_WT_OUTER_WB,
  ATTR_NON_CACHEABLE,
  ATTR_WRITE_BACK,
  ATTR_WRITE_BACK_NON_SHAREABLE,
  ATTR_WRITE_THROUGH,
} from "./operations";

// An attribute and its shareability in one number: the byte as MAIR_EL1 has it, and SH in bits 9:8.
export const SH_NON: u32 = 0;
export const SH_OUTER: u32 = 2;
export const SH_INNER: u32 = 3;
const NC: u32 = 4;
const NC_OUTER: u32 = 0x44 | (SH_OUTER << 8);
const DEVICE_OUTER: u32 = SH_OUTER << 8;
/** Set beside the result where stage 2's encoding is reserved. */
export const RESERVED: u32 = 1 << 10;

export function packed(byte: u32, sh: u32): u32 {
  return byte | (sh << 8);
}

function isDevice(attribute: u32): bool {
  return !(attribute & 0xf0);
}

function isNormal(attribute: u32): bool {
  return (attribute & 0xf0) != 0;
}

/** SH 01 is reserved and read as Outer Shareable. */
function shareability(sh: u32): u32 {
  return sh == 1 ? SH_OUTER : sh;
}

/** Reserved bytes of MAIR_EL1 read as Device-nGnRnE (D42). */
export function legalByte(byte: u32): u32 {
  if (!(byte & 0xf0)) return byte & 3 ? 0 : byte;
  return byte & 0x0f ? byte : 0;
}

/** Stage 1 that is on but walks nothing has the attribute that the access names (D42): the code's byte and shareability. */
export function flatAttribute(code: u32): u32 {
  switch (code) {
    case ATTR_DEVICE:
      return packed(0x00, SH_OUTER);
    case ATTR_NON_CACHEABLE:
      return packed(0x44, SH_OUTER);
    case ATTR_WRITE_BACK_NON_SHAREABLE:
      return packed(0xff, SH_NON);
    case ATTR_WRITE_THROUGH:
      return packed(0xbb, SH_INNER);
    case ATTR_INNER_WT_OUTER_WB:
      return packed(0xfb, SH_INNER);
    case ATTR_INNER_WB_OUTER_NC:
      return packed(0x4f, SH_INNER);
    case ATTR_INNER_NC_OUTER_WB:
      return packed(0xf4, SH_INNER);
    default:
      return packed(0xff, SH_INNER);
  }
}

/** Stage 1 in effect (D42): `raw` as a descriptor or the access says it; stage 2 is handed shareability as it stood. */
export function stageOne(fetch: bool, m: bool, c: bool, i: bool, dc: bool, tge: bool, s2On: bool, raw: u32): u32 {
  if (dc) return packed(0xff, SH_NON);
  if (!m || tge) {
    if (!fetch) return DEVICE_OUTER;
    return i ? packed(0xaa, SH_OUTER) : NC_OUTER;
  }
  const sh = shareability(raw >> 8);
  let byte = raw & 0xff;
  if (fetch ? isDevice(byte) || !i : isNormal(byte) && !c) byte = 0x44;
  const result = packed(byte, sh);
  return s2On ? result : alone(result);
}

/** A result that no stage 2 touches: Device and Non-cacheable memory are Outer Shareable whatever the descriptor says. */
export function alone(attribute: u32): u32 {
  const byte = attribute & 0xff;
  return isDevice(byte) || byte == 0x44 ? packed(byte, SH_OUTER) : attribute;
}

/** Whether a stage-2 MemAttr is one that the architecture doesn't define. */
export function isReserved(memAttr: u32, fwb: bool): bool {
  if (fwb) return memAttr == 4 || memAttr >= 8;
  return memAttr > 3 && !(memAttr & 3);
}

/** Whether stage 2 says Device: its defined encodings do so alike with and without FWB. */
export function isStageTwoDevice(memAttr: u32): bool {
  return memAttr < 4;
}

/** Strength of a nibble's cacheability: 1 Non-cacheable, 2 Write-Through, 3 Write-Back. */
function strength(nibble: u32): u32 {
  if (nibble == NC) return 1;
  return nibble & 4 ? 3 : 2;
}

/** The nibble with a weaker cacheability, as stage 2 asks for it; allocation and transient hints stay stage 1's. */
function weakened(nibble: u32, limit: u32): u32 {
  if (limit == 1 || nibble == NC) return NC;
  return limit == 2 && strength(nibble) == 3 ? nibble & ~(<u32>4) : nibble;
}

/** The nibble as Write-Back; hints stay stage 1's, and are read- and write-allocate where it had none. */
function strengthened(nibble: u32): u32 {
  return nibble == NC ? 15 : nibble | 4;
}

/** Both stages say Device: the stricter subtype (nGnRnE 0, nGnRE 4, nGRE 8, GRE 12). One: that one's. */
function combinedDevice(s1: u32, s2IsDevice: bool, subtype: u32): u32 {
  if (!s2IsDevice) return s1;
  return isDevice(s1) ? min(s1, subtype) : subtype;
}

/** Both stages together (D43, arm-facts A.1 to A.3), with RESERVED beside it where stage 2's encoding means nothing. */
export function combine(fetch: bool, s1: u32, memAttr: u32, s2Sh: u32, fwb: bool, cd: bool, id: bool): u32 {
  if (isReserved(memAttr, fwb)) return DEVICE_OUTER | RESERVED;
  const isOff = fetch ? id : cd;
  // A fetch has no Device on the way in: stage 1 has made it Non-cacheable.
  const byte = fetch && isDevice(s1) ? 0x44 : s1 & 0xff;
  let sh = shareability(s1 >> 8);
  let other = shareability(s2Sh);
  let s2Device = isStageTwoDevice(memAttr);
  const subtype = (memAttr & 3) << 2;
  let result: u32;
  if (fwb) {
    if (s2Device) result = combinedDevice(byte, true, subtype);
    else if (memAttr == 5) result = isDevice(byte) ? byte : 0x44;
    else if (memAttr == 6) result = isDevice(byte) ? 0xff : (strengthened(byte >> 4) << 4) | strengthened(byte & 15);
    else result = byte;
    // Here the override comes last, so that it defeats FWB.
    if ((fetch && isDevice(result)) || (isOff && isNormal(result))) {
      result = 0x44;
      other = SH_OUTER;
    }
  } else {
    let outer = memAttr >> 2;
    let inner = memAttr & 3;
    if (s2Device ? fetch : isOff) {
      s2Device = false;
      outer = 1;
      inner = 1;
      other = SH_OUTER;
    }
    if (s2Device || isDevice(byte)) result = combinedDevice(byte, s2Device, subtype);
    else result = (weakened(byte >> 4, outer) << 4) | weakened(byte & 15, inner);
  }
  if (sh == SH_OUTER || other == SH_OUTER) sh = SH_OUTER;
  else sh = max(sh, other);
  return alone(packed(result, sh));
}

/** The code that the caches see (D44). Transient and allocation hints mean nothing here. */
export function codeOf(attribute: u32): u32 {
  const byte = attribute & 0xff;
  if (isDevice(byte)) return ATTR_DEVICE;
  const outer = strength(byte >> 4);
  const inner = strength(byte & 15);
  if (inner == 3) {
    if (outer == 1) return ATTR_INNER_WB_OUTER_NC;
    if (outer == 2) return ATTR_WRITE_THROUGH;
    return (attribute >> 8) & 3 ? ATTR_WRITE_BACK : ATTR_WRITE_BACK_NON_SHAREABLE;
  }
  if (outer == 3) return inner == 2 ? ATTR_INNER_WT_OUTER_WB : ATTR_INNER_NC_OUTER_WB;
  return inner == 2 && outer == 2 ? ATTR_WRITE_THROUGH : ATTR_NON_CACHEABLE;
}

/** The nibble of a two-bit cacheability as TCR, VTCR, NMRR and short descriptors have it: NC, WB, WT, WB without write-allocate. */
export function nibbleOf(bits: u32): u32 {
  return bits == 0 ? 4 : bits == 1 ? 15 : bits == 2 ? 10 : 14;
}
