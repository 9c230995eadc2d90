/** The property that kernels do what the reference model does, for streams of any length. */
import type { Difference } from "./compare.ts";
import type { EngineKind } from "./engines.ts";
import type { Feature } from "./features.ts";
import { compareOutcomes, outcomeOf, playCase } from "./play-case.ts";
import type { MachineKind, RandomCase } from "./random-case.ts";
import { disagreement } from "./report.ts";
import { checkProperty } from "./run-property.ts";

export interface Agreement {
  readonly name: string;
  readonly reference: EngineKind;
  readonly kernels: readonly EngineKind[];
  readonly streams: number;
  /** Records of a stream: fewest and most. */
  readonly length?: readonly [number, number];
  /** Whether all of them are of one build, so that they say the same of hazards and bytes even where they carry none. */
  readonly alike?: boolean;
  readonly machines?: MachineKind;
  readonly features?: ReadonlySet<Feature>;
}

/** Throws the story of the smallest stream on which they differ; gives the number of streams played. */
export function checkAgreement({
  name,
  reference,
  kernels,
  streams,
  length,
  alike,
  machines = "any",
  features,
}: Agreement): number {
  return checkProperty({
    name,
    streams,
    machines,
    ...(features ? { features } : {}),
    ...(length ? { length } : {}),
    wrong: (each) => disagreements(reference, kernels, each, alike)?.[0].name,
    explain: (each) => {
      const [kernel, found] = disagreements(reference, kernels, each, alike) ?? [];
      return kernel && found ? disagreement(reference, kernel, each, found) : "it does not fail when played again";
    },
  });
}

/** The first kernel that differs, and how. All kernels share one play of the reference, which gets its records in one batch. */
function disagreements(
  reference: EngineKind,
  kernels: readonly EngineKind[],
  each: RandomCase,
  alike = false,
): [EngineKind, Difference[]] | undefined {
  const expected = outcomeOf(playCase(reference, each, Number.MAX_SAFE_INTEGER), each);
  for (const kernel of kernels) {
    // Tables are data: an engine without them refuses to translate (D38).
    if (each.features.includes("translation") && !kernel.carriesData) continue;
    const bytes = alike || kernel.carriesData;
    const found = compareOutcomes(expected, outcomeOf(playCase(kernel, each), each), { bytes });
    if (found.length > 0) return [kernel, found];
  }
  return undefined;
}
