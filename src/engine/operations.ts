/**
 * The one table of record operations. The kernel, the reference model, trace readers and reports all read this table;
 * `assembly/operations.ts` is generated from it by `scripts/build.ts`, so the two sides cannot disagree.
 *
 * One record is 64 bits: address or operand in bits 0-47, operation in bits 48-55, requester in bits 56-63.
 */

/** What the 48-bit operand of a record means. */
export type OperandKind = "address" | "set/way" | "value" | "none";

/** Who may issue the operation: a core, a device, or either. */
export type RequesterKind = "core" | "device" | "any";

export interface Operation {
  readonly code: number;
  /** Name as the Arm ARM or this project's documents spell it. */
  readonly name: string;
  readonly operand: OperandKind;
  readonly requester: RequesterKind;
  /** A prefix modifies the record that follows; it has no record number of its own. */
  readonly prefix?: true;
  /** One line for `setway list operations`. */
  readonly summary: string;
}

const define = (
  code: number,
  name: string,
  operand: OperandKind,
  requester: RequesterKind,
  summary: string,
  prefix?: true,
): Operation => ({ code, name, operand, requester, summary, ...(prefix ? { prefix } : {}) });

export const OPERATIONS = {
  LOAD: define(0, "load", "address", "core", "data read"),
  STORE: define(1, "store", "address", "core", "data write"),
  FETCH: define(2, "fetch", "address", "core", "instruction fetch"),
  ATOMIC: define(3, "atomic", "address", "core", "read-modify-write or successful exclusive pair (R17)"),
  PREFETCH: define(4, "prefetch", "address", "core", "a speculative cacheable read that observes nothing (R19)"),
  EVICT: define(5, "evict", "address", "core", "the core's L1D loses its copy of the line as if replaced (R19)"),
  SPECULATIVE_FETCH: define(
    6,
    "speculative fetch",
    "address",
    "core",
    "an instruction fetch that fills caches and observes nothing (R19)",
  ),
  DC_IVAC: define(16, "DC IVAC", "address", "core", "invalidate by VA to the PoC"),
  DC_CVAC: define(17, "DC CVAC", "address", "core", "clean by VA to the PoC"),
  DC_CIVAC: define(18, "DC CIVAC", "address", "core", "clean and invalidate by VA to the PoC"),
  DC_CVAU: define(19, "DC CVAU", "address", "core", "clean by VA to the PoU"),
  DC_ISW: define(20, "DC ISW", "set/way", "core", "invalidate by set/way"),
  DC_CSW: define(21, "DC CSW", "set/way", "core", "clean by set/way"),
  DC_CISW: define(22, "DC CISW", "set/way", "core", "clean and invalidate by set/way"),
  IC_IALLU: define(23, "IC IALLU", "none", "core", "invalidate the core's own instruction cache"),
  IC_IALLUIS: define(24, "IC IALLUIS", "none", "core", "invalidate every instruction cache"),
  IC_IVAU: define(25, "IC IVAU", "address", "core", "invalidate instruction caches by VA to the PoU"),
  SCTLR: define(26, "SCTLR", "value", "core", "write SCTLR_EL1; the operand is the value (M bit 0, C bit 2, I bit 12)"),
  TLBI_ALL: define(27, "TLBI ALL", "none", "core", "invalidate the core's stage-1 translations of its VMID (D53)"),
  DSB: define(28, "DSB", "none", "core", "data synchronization barrier"),
  ISB: define(29, "ISB", "none", "core", "instruction synchronization barrier"),
  DMB: define(30, "DMB", "none", "core", "data memory barrier"),
  BP_INVALIDATE: define(31, "BPIALL", "none", "core", "invalidate the branch predictor"),
  DEVICE_READ: define(32, "device read", "address", "device", "a device's DMA read"),
  DEVICE_WRITE: define(33, "device write", "address", "device", "a device's DMA write"),
  DC_CVAP: define(34, "DC CVAP", "address", "core", "clean by VA to the point of persistence (the PoC here)"),
  DC_ZVA: define(35, "DC ZVA", "address", "core", "store a DCZID_EL0 block of zeroes"),
  OUTER_CONTROL: define(
    40,
    "outer control",
    "value",
    "core",
    "PL310 reg1_control: operand bit 0 enables the outer cache",
  ),
  OUTER_CLEAN_PA: define(41, "outer clean PA", "address", "core", "PL310 clean line by PA"),
  OUTER_INVALIDATE_PA: define(42, "outer invalidate PA", "address", "core", "PL310 invalidate line by PA"),
  OUTER_FLUSH_PA: define(43, "outer clean+invalidate PA", "address", "core", "PL310 clean and invalidate line by PA"),
  OUTER_CLEAN_WAY: define(44, "outer clean way", "value", "core", "PL310 clean by way; operand is a mask of ways"),
  OUTER_INVALIDATE_WAY: define(
    45,
    "outer invalidate way",
    "value",
    "core",
    "PL310 invalidate by way; operand is a mask of ways",
  ),
  OUTER_FLUSH_WAY: define(
    46,
    "outer clean+invalidate way",
    "value",
    "core",
    "PL310 clean and invalidate by way; operand is a mask of ways",
  ),
  ASSIGN_PAGE: define(48, "assign page", "address", "any", "the 4 KiB page now belongs to somebody else (R28)"),
  MIGRATE: define(49, "migrate", "value", "core", "software that ran on core `operand` goes on on the requester (R29)"),
  MSR: define(50, "MSR", "value", "core", "write the system register of that number with the prefixes' value (D38)"),
  MRS: define(51, "MRS", "value", "core", "read the system register of that number (D38)"),
  TLBI: define(52, "TLBI", "value", "core", "bits 0-7 what goes, bit 8 on all cores; the value is its register (D53)"),
  CHARGE: define(53, "charge", "value", "core", "count one event of that number: an exit, an entry... (D54)"),
  FLUSH_STAGE2: define(
    54,
    "flush stage 2",
    "address",
    "core",
    "clean and invalidate by VA what stage 2 maps, from that IPA, as many bytes as the value says (D54)",
  ),
  WITH: define(
    240,
    "with",
    "value",
    "any",
    "prefix: bits 0-23 size in bytes, 24-39 requester + 1 or 0, 40-43 attribute + 1 or 0, 44 upper addresses (D39)",
    true,
  ),
  VALUE_LOW: define(
    241,
    "value low",
    "value",
    "any",
    "prefix: the low 32 bits of the value that the next record writes",
    true,
  ),
  VALUE_HIGH: define(242, "value high", "value", "any", "prefix: the high 32 bits of that value", true),
} as const satisfies Record<string, Operation>;

export type OperationName = keyof typeof OPERATIONS;

/** Operation by code; `undefined` where no operation has that code. */
export const OPERATION_BY_CODE: readonly (Operation | undefined)[] = (() => {
  const table: (Operation | undefined)[] = new Array(256).fill(undefined);
  for (const operation of Object.values(OPERATIONS)) table[operation.code] = operation;
  return table;
})();

/**
 * Memory attributes that an access can carry (resolved, after both stages). Codes are what `WITH` holds, less one.
 * With `cacheability: wb-only` anything but Write-Back behaves as Non-cacheable for data (R34).
 */
export const ATTRIBUTES = {
  DEVICE: { code: 0, name: "Device" },
  NON_CACHEABLE: { code: 1, name: "Normal Non-cacheable" },
  WRITE_BACK: { code: 2, name: "Normal Write-Back Inner Shareable" },
  WRITE_BACK_NON_SHAREABLE: { code: 3, name: "Normal Write-Back Non-shareable" },
  WRITE_THROUGH: { code: 4, name: "Normal Write-Through Inner Shareable" },
  INNER_WT_OUTER_WB: { code: 5, name: "Normal inner Write-Through, outer Write-Back" },
  INNER_WB_OUTER_NC: { code: 6, name: "Normal inner Write-Back, outer Non-cacheable" },
  INNER_NC_OUTER_WB: { code: 7, name: "Normal inner Non-cacheable, outer Write-Back" },
} as const;

export type AttributeCode = (typeof ATTRIBUTES)[keyof typeof ATTRIBUTES]["code"];

/** SCTLR_EL1 bits that change the attributes of accesses (R8, R9). */
export const SCTLR_M = 1 << 0;
export const SCTLR_C = 1 << 2;
export const SCTLR_I = 1 << 12;

/** Requesters that fit the record itself (bits 56-63); others need a `WITH`. */
export const NARROW_REQUESTERS = 256;
