/**
 * The library: engines that play records on machines, and what they say; CPUs, devices, hypervisors and stories over them.
 * Nothing here depends on another package; machines by name or by description are in `setway/machine`.
 */
export { BareCpu } from "./cpu/bare.ts";
export { type AccessOptions, Cpu, GuestFault, type RangeOperation } from "./cpu/cpu.ts";
export * from "./devices/index.ts";
export type {
  CacheCounters,
  Copy,
  CostEvent,
  Counters,
  Engine,
  EngineOptions,
  Hazard,
  MachineCounter,
  PeekPlace,
  Place,
  PlayOrder,
  Provenance,
  SetGroupUse,
  TlbCounters,
} from "./engine/engine.ts";
export { CHARGED_EVENTS, EVERYTHING_RECORDED } from "./engine/engine.ts";
export {
  type ErrorCode,
  type ErrorDetail,
  type ErrorPlace,
  MachineError,
  RecordError,
  SetwayError,
  TraceError,
} from "./engine/errors.ts";
export { type Exit, ExitError } from "./engine/exit.ts";
export { HAZARD_CLASSES, type HazardClass, type HazardName, type Recorded } from "./engine/hazards.ts";
export { createKernel, type Kernel, type KernelOptions } from "./engine/kernel.ts";
export type { MissLog, MissLogEntry } from "./engine/miss-log.ts";
export { ATTRIBUTES, OPERATIONS, type Operation, SCTLR_C, SCTLR_I, SCTLR_M } from "./engine/operations.ts";
export * from "./engine/record.ts";
export { createReference } from "./engine/reference.ts";
export {
  CONTEXT_AARCH32,
  CONTEXT_EL_MASK,
  CONTEXT_WALKS,
  HCR,
  SYSTEM_REGISTERS,
  type SystemRegisterName,
  TLBI_KINDS,
} from "./engine/system-registers.ts";
export * from "./hypervisor/index.ts";
export { type CoreRegisters, coreRegisters } from "./machine/registers.ts";
export type {
  Cache,
  Core,
  Device,
  Features,
  Latencies,
  MemoryRegion,
  Prefetcher,
  Protocol,
  ResolvedMachine,
  TlbGeometry,
} from "./machine/resolved.ts";
export { SET_WAY_ROUTINES } from "./machine/setway.ts";
export { type Explanation, explainHazard } from "./report/explain.ts";
export type { ReplayOptions, SetWayOperation } from "./scenario/replay.ts";
export {
  type AnyStory,
  defineStory,
  type Era,
  type ExpectedHazards,
  type MachineChanges,
  type Need,
  type Outcome,
  type Situation,
  type Story,
  type StoryDefinition,
  type StoryDevice,
} from "./scenario/story.ts";
export type { MachineTraits } from "./scenario/traits.ts";
export type { AllocateOptions, RecordedTrace, Step, World } from "./scenario/world.ts";
