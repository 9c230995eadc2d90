/** Machines in the forms that other tools read. */
import type { ResolvedMachine } from "../resolved.ts";
import { drcachesimConfig } from "./drcachesim.ts";
import { deviceTreeSource } from "./dts.ts";

export type ExportFormat = "drcachesim" | "dts";

/** Throws `MachineError` where the format can't have such a machine. */
export function exportMachine(machine: ResolvedMachine, format: ExportFormat): string {
  return format === "dts" ? deviceTreeSource(machine) : drcachesimConfig(machine);
}
