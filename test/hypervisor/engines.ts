/** The engines on which every hypervisor test runs, and hypervisors over them. */
import type { Engine } from "../../src/engine/engine.ts";
import { HAZARD_CLASSES } from "../../src/engine/hazards.ts";
import { createKernel } from "../../src/engine/kernel.ts";
import { createReference } from "../../src/engine/reference.ts";
import {
  type EraName,
  Hypervisor,
  type HypervisorOptions,
  type Vm,
  type VmOptions,
} from "../../src/hypervisor/index.ts";
import { loadMachine } from "../../src/machine/index.ts";
import type { ResolvedMachine } from "../../src/machine/resolved.ts";
import type { MachineDescription } from "../../src/machine/schema.ts";

export const MIB = 2 ** 20;
export const RAM = 0x4000_0000;

export const ENGINES: readonly (readonly [string, (machine: ResolvedMachine) => Engine])[] = [
  ["reference", (machine) => createReference(machine)],
  ["kernel", (machine) => createKernel(machine)],
];

/** Two cores with an L2, a system cache that set/way doesn't reach, a coherent disk; small enough to be fast. */
export const SMALL: MachineDescription = {
  name: "small",
  cores: [{ name: "core", count: 2 }],
  caches: {
    L1I: { size: "4KiB", ways: 2, line: 64 },
    L1D: { size: "4KiB", ways: 2, line: 64 },
    L2: { size: "16KiB", ways: 4, line: 64, per: "cluster" },
    L3: { size: "64KiB", ways: 4, line: 64, per: "socket", kind: "system" },
  },
  devices: [{ name: "disk", coherent: true }],
  aarch32: "all",
};

/** The same with FEAT_S2FWB. */
export const SMALL_FWB: MachineDescription = { ...SMALL, name: "small-fwb", features: { fwb: true, idc: true } };

export interface Host {
  readonly engine: Engine;
  readonly hypervisor: Hypervisor;
  readonly vm: Vm;
}

export function host(
  create: (machine: ResolvedMachine) => Engine,
  era: EraName,
  options: Partial<HypervisorOptions> = {},
  guest: Partial<VmOptions> = {},
  description: string | MachineDescription = era === "fwb" ? SMALL_FWB : SMALL,
): Host {
  const engine = create(loadMachine(description));
  const hypervisor = new Hypervisor(engine, { era, ...options });
  return { engine, hypervisor, vm: hypervisor.createVm({ memory: 4 * MIB, ...guest }) };
}

const OBSERVED = new Set<string>(HAZARD_CLASSES.filter(({ kind }) => kind !== "latent").map(({ name }) => name));

/** Names of the hazards that have done harm. */
export const harm = (engine: Engine): string[] =>
  engine
    .hazards()
    .map((each) => each.class)
    .filter((name) => OBSERVED.has(name));
