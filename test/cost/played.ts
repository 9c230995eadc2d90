/** Runs a study in a test: small machines by description, parameters as typed, rows as one object each. */
import { runStudy, STUDIES, type StudyResult } from "../../src/cost/index.ts";
import type { Value } from "../../src/cost/parameter.ts";
import { loadMachine, type MachineDescription } from "../../src/machine/index.ts";

export type FlatRow = Readonly<Record<string, Value>> & Readonly<Record<string, number>>;

/** Two cores like Cortex-A57, without a system cache: large enough for every study, small enough to play quickly. */
export const A57: MachineDescription = {
  name: "two-a57",
  cores: 2,
  caches: {
    L1I: { size: "48KiB", ways: 3, line: 64 },
    L1D: { size: "32KiB", ways: 2, line: 64 },
    L2: { size: "1MiB", ways: 16, line: 64, per: "socket" },
  },
};

export function study(
  name: string,
  parameters: Readonly<Record<string, string>> = {},
  machine: string | MachineDescription = A57,
  ghz = 2,
): Promise<StudyResult> {
  const found = STUDIES[name];
  if (found === undefined) throw new Error(`no study ${name}`);
  return runStudy(found, { machine: loadMachine(machine), ghz, parameters });
}

export async function rowsOf(...args: Parameters<typeof study>): Promise<readonly FlatRow[]> {
  return (await study(...args)).rows.map(({ values, cells }) => ({ ...values, ...cells }) as FlatRow);
}
