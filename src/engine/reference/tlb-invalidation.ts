/** What a TLBI of each kind means (D53): entries by address, process and guest. */
import { TLBI_KINDS } from "../system-registers.ts";
import { addressField, bit, field } from "./bits.ts";
import type { Context } from "./context.ts";
import { contains, type Invalidation } from "./tlb.ts";

/** Bit 43 of Xt says that the address is in the upper half; entries have it as bit 48. */
const UPPER = 2 ** 48;

/** By kind, for the issuing core's context and the value of Xt; undefined where no kind has that number. */
export function invalidationOf(kind: number, context: Context, xt: bigint): Invalidation | undefined {
  const { vmid, aarch32 } = context;
  const ofGuest = (entry: { readonly vmid: number }): boolean => entry.vmid === vmid;
  const asid = aarch32 ? field(xt, 7, 0) : field(xt, bit(context.get("TCR_EL1"), 36) ? 63 : 55, 48);
  const address = aarch32 ? addressField(xt, 31, 12) : field(xt, 35, 0) * 2 ** 12 + (bit(xt, 43) ? UPPER : 0);
  const ipa = field(xt, 35, 0) * 2 ** 12;

  const pagesAt =
    (anyProcess: boolean): NonNullable<Invalidation["pages"]> =>
    (entry) =>
      ofGuest(entry) &&
      contains(entry.page, entry.sizeLog2, address) &&
      (anyProcess || entry.asid === undefined || entry.asid === asid);
  const walksAt =
    (anyProcess: boolean): NonNullable<Invalidation["walks"]> =>
    (entry) =>
      ofGuest(entry) && contains(entry.page, entry.spanLog2, address) && (anyProcess || entry.asid === asid);

  switch (kind) {
    case TLBI_KINDS.VMALLE1:
      return { pages: ofGuest, walks: ofGuest };
    case TLBI_KINDS.VAE1:
      return { pages: pagesAt(false), walks: walksAt(false) };
    case TLBI_KINDS.VAAE1:
      return { pages: pagesAt(true), walks: walksAt(true) };
    case TLBI_KINDS.VALE1:
      return { pages: pagesAt(false) };
    case TLBI_KINDS.VAALE1:
      return { pages: pagesAt(true) };
    case TLBI_KINDS.ASIDE1: {
      const ofProcess = (entry: { readonly vmid: number; readonly asid: number | undefined }): boolean =>
        ofGuest(entry) && entry.asid === asid;
      return { pages: ofProcess, walks: ofProcess };
    }
    case TLBI_KINDS.IPAS2E1:
    case TLBI_KINDS.IPAS2LE1:
      return { ipas: (entry) => ofGuest(entry) && contains(entry.page, entry.leaf.sizeLog2, ipa) };
    case TLBI_KINDS.VMALLS12E1:
      return { pages: ofGuest, walks: ofGuest, ipas: ofGuest };
    case TLBI_KINDS.ALLE1:
      return { pages: () => true, walks: () => true, ipas: () => true };
    default:
      return undefined;
  }
}
