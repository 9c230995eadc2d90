/**
 * What is known of Arm's cores beside what a file says: names by device-tree compatible and by MIDR_EL1, and the caches
 * that each core's Technical Reference Manual fixes or allows. It fills gaps, always as a stated assumption.
 */

export interface CoreModel {
  readonly name: string;
  /** KiB, ways and line bytes; a size that the licensee chooses is the usual one. */
  readonly l1i: readonly [kib: number, ways: number, line: number];
  readonly l1d: readonly [kib: number, ways: number, line: number];
  /** The L2 that belongs to the core or its cluster; none where it is another component. */
  readonly l2?: readonly [kib: number, ways: number, line: number];
  readonly l2Per?: "core" | "cluster";
  /** The L2 holds what its L1Ds hold. */
  readonly l2InclusiveOfData?: boolean;
  /** In a DynamIQ Shared Unit: its L3 is in CLIDR_EL1 and set/way reaches it. */
  readonly dsu?: boolean;
  /** Armv8.4 or later: FEAT_S2FWB is mandatory. */
  readonly fwb?: boolean;
  readonly aarch32: "none" | "el0" | "all";
}

const model = (
  name: string,
  l1i: CoreModel["l1i"],
  l1d: CoreModel["l1d"],
  l2: CoreModel["l2"] | undefined,
  rest: Omit<CoreModel, "name" | "l1i" | "l1d" | "l2">,
): CoreModel => ({ name, l1i, l1d, ...(l2 === undefined ? {} : { l2 }), ...rest });

const SHARED_L2 = { l2Per: "cluster" } as const;
const OWN_L2 = { l2Per: "core" } as const;

const MODELS: readonly CoreModel[] = [
  model("Cortex-A5", [32, 2, 32], [32, 4, 32], undefined, { aarch32: "all" }),
  model("Cortex-A7", [32, 2, 32], [32, 4, 64], [512, 8, 64], { ...SHARED_L2, aarch32: "all" }),
  model("Cortex-A8", [32, 4, 64], [32, 4, 64], [256, 8, 64], { ...OWN_L2, aarch32: "all" }),
  model("Cortex-A9", [32, 4, 32], [32, 4, 32], undefined, { aarch32: "all" }),
  model("Cortex-A12", [32, 4, 64], [32, 4, 64], [1024, 16, 64], { ...SHARED_L2, aarch32: "all" }),
  model("Cortex-A15", [32, 2, 64], [32, 2, 64], [1024, 16, 64], {
    ...SHARED_L2,
    l2InclusiveOfData: true,
    aarch32: "all",
  }),
  model("Cortex-A17", [32, 4, 64], [32, 4, 64], [1024, 16, 64], { ...SHARED_L2, aarch32: "all" }),
  model("Cortex-A32", [32, 2, 64], [32, 4, 64], [512, 8, 64], { ...SHARED_L2, aarch32: "all" }),
  model("Cortex-A35", [32, 2, 64], [32, 4, 64], [512, 8, 64], { ...SHARED_L2, aarch32: "all" }),
  model("Cortex-A53", [32, 2, 64], [32, 4, 64], [512, 16, 64], { ...SHARED_L2, aarch32: "all" }),
  model("Cortex-A55", [32, 4, 64], [32, 4, 64], [128, 4, 64], { ...OWN_L2, dsu: true, aarch32: "all" }),
  model("Cortex-A57", [48, 3, 64], [32, 2, 64], [1024, 16, 64], {
    ...SHARED_L2,
    l2InclusiveOfData: true,
    aarch32: "all",
  }),
  model("Cortex-A72", [48, 3, 64], [32, 2, 64], [1024, 16, 64], {
    ...SHARED_L2,
    l2InclusiveOfData: true,
    aarch32: "all",
  }),
  model("Cortex-A73", [64, 4, 64], [32, 4, 64], [1024, 16, 64], { ...SHARED_L2, aarch32: "all" }),
  model("Cortex-A75", [64, 4, 64], [64, 16, 64], [256, 8, 64], { ...OWN_L2, dsu: true, aarch32: "all" }),
  model("Cortex-A76", [64, 4, 64], [64, 4, 64], [256, 8, 64], { ...OWN_L2, dsu: true, aarch32: "el0" }),
  model("Cortex-A77", [64, 4, 64], [64, 4, 64], [256, 8, 64], { ...OWN_L2, dsu: true, aarch32: "el0" }),
  model("Cortex-A78", [64, 4, 64], [64, 4, 64], [256, 8, 64], { ...OWN_L2, dsu: true, aarch32: "el0" }),
  model("Cortex-X1", [64, 4, 64], [64, 4, 64], [1024, 8, 64], { ...OWN_L2, dsu: true, aarch32: "el0" }),
  model("Cortex-A510", [64, 4, 64], [64, 4, 64], [256, 8, 64], {
    ...SHARED_L2,
    dsu: true,
    fwb: true,
    aarch32: "el0",
  }),
  model("Cortex-A710", [64, 4, 64], [64, 4, 64], [512, 8, 64], { ...OWN_L2, dsu: true, fwb: true, aarch32: "el0" }),
  model("Cortex-A715", [64, 4, 64], [64, 4, 64], [512, 8, 64], { ...OWN_L2, dsu: true, fwb: true, aarch32: "none" }),
  model("Cortex-X2", [64, 4, 64], [64, 4, 64], [1024, 8, 64], { ...OWN_L2, dsu: true, fwb: true, aarch32: "none" }),
  model("Cortex-X3", [64, 4, 64], [64, 4, 64], [1024, 8, 64], { ...OWN_L2, dsu: true, fwb: true, aarch32: "none" }),
  model("Neoverse-E1", [32, 4, 64], [32, 4, 64], [256, 4, 64], { ...OWN_L2, dsu: true, aarch32: "none" }),
  model("Neoverse-N1", [64, 4, 64], [64, 4, 64], [1024, 8, 64], { ...OWN_L2, aarch32: "el0" }),
  model("Neoverse-N2", [64, 4, 64], [64, 4, 64], [1024, 8, 64], { ...OWN_L2, fwb: true, aarch32: "el0" }),
  model("Neoverse-V1", [64, 4, 64], [64, 4, 64], [1024, 8, 64], { ...OWN_L2, fwb: true, aarch32: "el0" }),
  model("Neoverse-V2", [64, 4, 64], [64, 4, 64], [2048, 8, 64], { ...OWN_L2, fwb: true, aarch32: "none" }),
  model("A64FX", [64, 4, 256], [64, 4, 256], [8192, 16, 256], { ...SHARED_L2, aarch32: "none" }),
];

/** MIDR_EL1's part number, of the implementer Arm (0x41). */
const ARM_PARTS: Readonly<Record<number, string>> = {
  3077: "Cortex-A5",
  3079: "Cortex-A7",
  3080: "Cortex-A8",
  3081: "Cortex-A9",
  3085: "Cortex-A12",
  3086: "Cortex-A17",
  3087: "Cortex-A15",
  3329: "Cortex-A32",
  3331: "Cortex-A53",
  3332: "Cortex-A35",
  3333: "Cortex-A55",
  3335: "Cortex-A57",
  3336: "Cortex-A72",
  3337: "Cortex-A73",
  3338: "Cortex-A75",
  3339: "Cortex-A76",
  3340: "Neoverse-N1",
  3341: "Cortex-A77",
  3392: "Neoverse-V1",
  3393: "Cortex-A78",
  3396: "Cortex-X1",
  3398: "Cortex-A510",
  3399: "Cortex-A710",
  3400: "Cortex-X2",
  3401: "Neoverse-N2",
  3402: "Neoverse-E1",
  3405: "Cortex-A715",
  3406: "Cortex-X3",
  3407: "Neoverse-V2",
};

const byName = new Map(MODELS.map((entry) => [entry.name.toLowerCase(), entry]));

/** The core that a name means; undefined for cores that Arm's manuals don't cover. */
export const coreModel = (name: string | undefined): CoreModel | undefined => byName.get((name ?? "").toLowerCase());

/** `arm,cortex-a57` is `Cortex-A57`; other vendors' cores keep what follows the comma. */
export function nameOfCompatible(compatible: string | undefined): string | undefined {
  if (compatible === undefined) return undefined;
  const [vendor = "", part] = compatible.split(",");
  if (part === undefined || part === "") return vendor === "" ? undefined : vendor.slice(0, 40);
  return byName.get(part.toLowerCase())?.name ?? part.slice(0, 40);
}

/** MIDR_EL1: implementer in bits 31:24, part number in 15:4. */
export function nameOfMidr(midr: number): string | undefined {
  const implementer = Math.floor(midr / 2 ** 24) % 256;
  const part = Math.floor(midr / 16) % 4096;
  if (implementer === 0x41) return ARM_PARTS[part];
  return implementer === 0x46 && part === 0x001 ? "A64FX" : undefined;
}
