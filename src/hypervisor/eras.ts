/**
 * What KVM did about guests' caches, one row for each era (arm-facts B.1): which HCR_EL2 bits, what set/way does, what
 * happens at map and unmap, what the guest reads of the caches. And the one table of steps that a variant can leave out.
 */
import { SetwayError } from "../engine/errors.ts";
import { HCR } from "../engine/system-registers.ts";
import type { ResolvedMachine } from "../machine/resolved.ts";

/** What a trapped set/way operation does. */
export type SetWayPolicy =
  /** Nothing is trapped: the operation reaches the hardware. */
  | "pass through"
  /** The one operation on this core; every other core owes the virtual CPU a flush. */
  | "local operation"
  /** The whole VM is cleaned and invalidated by VA, then virtual-memory registers are trapped. */
  | "flush by VA"
  /** Only the exit. */
  | "nothing";

export interface EraPolicy {
  /** Where and when. */
  readonly summary: string;
  /** HCR_EL2 of a new virtual CPU. */
  readonly hcr: bigint;
  readonly setWay: SetWayPolicy;
  /** Clean and invalidate a page to the PoC, through the host's alias, before the guest gets it. */
  readonly mapFlush: "always" | "caches off or incoherent memslot" | "never";
  /** Clean and invalidate a page to the PoC, through the host's alias, after the guest has lost it. */
  readonly unmapFlush: boolean;
  /** When the instruction caches forget a page: when it is mapped, or when the guest first executes it (else never). */
  readonly instructionCache: "at map" | "at first fetch" | "never";
  /** What CLIDR and CCSIDR say: the core's own caches, or levels made up from CTR with 1 set of 1 way each. */
  readonly geometry: "host" | "fabricated";
  /** MemAttr of RAM: Write-Back combined with stage 1, or FEAT_S2FWB's forced Write-Back. */
  readonly memory: "write-back" | "forced write-back";
  /** Whether a core forgets translations (and instructions) when another virtual CPU of the same VM gets it. */
  readonly betweenVcpus: readonly ("TLB" | "instruction cache")[];
  /** A feature that the machine's cores must have. */
  readonly needs?: "fwb";
}

const GUEST = HCR.VM | HCR.FB | HCR.SWIO;

export const ERAS = {
  none: {
    summary: "no workaround at all: set/way reaches the hardware, pages come and go as they are",
    hcr: GUEST,
    setWay: "pass through",
    mapFlush: "never",
    unmapFlush: false,
    instructionCache: "never",
    geometry: "host",
    memory: "write-back",
    betweenVcpus: [],
  },
  "3.9": {
    summary: "Linux 3.9 to 3.18: the trapped operation runs on this core, the other cores owe a flush",
    hcr: GUEST | HCR.TSW,
    setWay: "local operation",
    mapFlush: "never",
    unmapFlush: false,
    instructionCache: "at map",
    geometry: "host",
    memory: "write-back",
    betweenVcpus: [],
  },
  "4.1": {
    summary: "Linux 4.1 (3c1e71650833): set/way flushes the whole VM by VA, and again when its caches go on or off",
    hcr: GUEST | HCR.TSW | HCR.TVM,
    setWay: "flush by VA",
    mapFlush: "caches off or incoherent memslot",
    unmapFlush: true,
    instructionCache: "at map",
    geometry: "host",
    memory: "write-back",
    betweenVcpus: [],
  },
  modern: {
    summary: "Linux 6.12 on cores without FEAT_S2FWB: as 4.1, with made-up geometry and unconditional flushes",
    hcr: GUEST | HCR.TSW | HCR.TVM | HCR.TID2 | HCR.PTW,
    setWay: "flush by VA",
    mapFlush: "always",
    unmapFlush: true,
    instructionCache: "at first fetch",
    geometry: "fabricated",
    memory: "write-back",
    betweenVcpus: ["TLB", "instruction cache"],
  },
  fwb: {
    summary: "Linux 6.12 on cores with FEAT_S2FWB: RAM is Write-Back whatever the guest says, nothing is flushed",
    hcr: GUEST | HCR.TSW | HCR.TID2 | HCR.PTW | HCR.FWB,
    setWay: "nothing",
    mapFlush: "never",
    unmapFlush: false,
    instructionCache: "at first fetch",
    geometry: "fabricated",
    memory: "forced write-back",
    betweenVcpus: ["TLB", "instruction cache"],
    needs: "fwb",
  },
} as const satisfies Record<string, EraPolicy>;

export type EraName = keyof typeof ERAS;
export const ERA_NAMES = Object.keys(ERAS) as readonly EraName[];

/** The eras that a machine's cores can run. */
export const erasOf = (machine: ResolvedMachine): readonly EraName[] =>
  ERA_NAMES.filter((name) => hasNeeded(ERAS[name], machine));

/** Steps of a policy that a variant can leave out, to show what each is for. */
export const POLICY_STEPS = {
  "set/way trap": "TSW stays clear: set/way reaches the hardware",
  "virtual-memory trap": "TVM stays clear: nobody sees the caches go on or off",
  "flush at first set/way": "the whole-VM flush that a trapped set/way operation starts (4.1, modern)",
  "flush at SCTLR off": "the whole-VM flush when M and C are no longer both set (4.1, modern)",
  "flush at SCTLR on": "the whole-VM flush when M and C become both set (4.1, modern)",
  "owed flush at entry": "the flush of a core that another core's set/way made stale (3.9)",
  "flush after moving": "the flush of all levels where the virtual CPU has moved since its last set/way (3.9)",
  "flush at map": "cleaning and invalidating a page before the guest gets it",
  "flush at unmap": "cleaning and invalidating a page after the guest has lost it",
  "instruction cache": "invalidating instruction caches for a page that the guest will execute",
  "zero at map": "zeroing a fresh page",
  "break before make": "clearing a live descriptor and its translations before another is written",
  "TLBI at unmap": "invalidating translations of a descriptor that was cleared or restricted",
  "TLBI of both stages": "beside those by IPA, invalidating what was combined from both stages, which no IPA finds",
  "made-up geometry": "the guest reads the core's own CLIDR and CCSIDR (modern, fwb)",
  "TLBI between virtual CPUs": "a core forgets translations when another virtual CPU of the VM gets it (modern, fwb)",
  "instruction cache between virtual CPUs":
    "a core's instruction cache is emptied when another virtual CPU of the VM gets it (modern, fwb)",
  "copy on write": "a write to a merged page gets a copy of its own",
} as const;
export type PolicyStep = keyof typeof POLICY_STEPS;

/** A policy with its variations, ready to be asked. */
export interface Policy extends EraPolicy {
  readonly era: EraName;
  /** Whether the step is done. */
  readonly does: (step: PolicyStep) => boolean;
}

/** The era's row, with single fields replaced and steps left out. Throws where the machine's cores cannot do it. */
export function policyOf(
  machine: ResolvedMachine,
  era: EraName,
  replaced: Partial<EraPolicy> = {},
  without: readonly PolicyStep[] = [],
): Policy {
  const row: EraPolicy | undefined = ERAS[era];
  if (row === undefined) {
    throw new SetwayError("usage", "no such era", { found: String(era), expected: ERA_NAMES.join(", ") });
  }
  for (const step of without) {
    if (!(step in POLICY_STEPS)) {
      const expected = Object.keys(POLICY_STEPS).join(", ");
      throw new SetwayError("usage", "no such step to leave out", { found: step, expected });
    }
  }
  const policy = { ...row, ...replaced };
  if (!hasNeeded(policy, machine)) {
    throw new SetwayError("usage", `the cores of ${machine.name} lack FEAT_S2FWB`, {
      found: `era ${era}`,
      expected: erasOf(machine).join(", "),
    });
  }
  const omitted = new Set(without);
  const does = (step: PolicyStep) => !omitted.has(step);
  let hcr = policy.hcr;
  if (!does("set/way trap")) hcr &= ~HCR.TSW;
  if (!does("virtual-memory trap")) hcr &= ~HCR.TVM;
  const geometry = does("made-up geometry") ? policy.geometry : "host";
  if (geometry === "host") hcr &= ~(HCR.TID2 | HCR.TID4);
  return { ...policy, era, hcr, geometry, does };
}

function hasNeeded(policy: EraPolicy, machine: ResolvedMachine): boolean {
  return policy.needs !== "fwb" || machine.features?.fwb === true;
}
