/**
 * The library: engines that play records on machines, and what they say. Nothing here depends on another package; machines
 * by name or by description are in `setway/machine`.
 */
export type { Copy, Counters, Engine, EngineOptions, Hazard, Place, Provenance } from "./engine/engine.ts";
export { EVERYTHING_RECORDED } from "./engine/engine.ts";
export { MachineError, RecordError, SetwayError, TraceError } from "./engine/errors.ts";
export { HAZARD_CLASSES, type HazardName } from "./engine/hazards.ts";
export { createKernel, type Kernel, type KernelOptions } from "./engine/kernel.ts";
export { ATTRIBUTES, OPERATIONS } from "./engine/operations.ts";
export * from "./engine/record.ts";
export { createReference } from "./engine/reference.ts";
export type { ResolvedMachine } from "./machine/resolved.ts";
export { type Explanation, explainHazard } from "./report/explain.ts";
