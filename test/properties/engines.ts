/** The engines that every shared test runs on: the reference model and the kernel's builds, as far as they exist in this tree. */
import { existsSync, readFileSync } from "node:fs";
import type { Engine, Provenance } from "../../src/engine/engine.ts";
import type { ResolvedMachine } from "../../src/machine/resolved.ts";

export interface EngineKind {
  readonly name: string;
  readonly carriesData: boolean;
  create(machine: ResolvedMachine, provenance: Provenance): Engine;
}

interface ReferenceModule {
  createReference(machine: ResolvedMachine, options: { provenance?: Provenance }): Engine;
}
interface KernelModule {
  createKernel(machine: ResolvedMachine, options: { provenance?: Provenance; data: boolean; wasm?: Uint8Array }): Engine;
}

async function module<T>(path: string): Promise<T | undefined> {
  const url = new URL(path, import.meta.url);
  return existsSync(url) ? ((await import(url.href)) as T) : undefined;
}

const referenceModule = await module<ReferenceModule>("../../src/engine/reference.ts");
const kernelModule = await module<KernelModule>("../../src/engine/kernel.ts");

export const REFERENCE: EngineKind | undefined = referenceModule && {
  name: "reference",
  carriesData: true,
  create: (machine, provenance) => referenceModule.createReference(machine, { provenance }),
};

/** Debug kernels aren't part of the package; the build leaves them beside the release ones. */
const debugKernel = (data: boolean) =>
  readFileSync(new URL(`../../build/kernel/${data ? "data" : "tags"}.debug.wasm`, import.meta.url));

function kernel(name: string, data: boolean, debug: boolean): EngineKind[] {
  if (kernelModule === undefined) return [];
  return [
    {
      name,
      carriesData: data,
      create: (machine, provenance) =>
        kernelModule.createKernel(machine, { provenance, data, ...(debug ? { wasm: debugKernel(data) } : {}) }),
    },
  ];
}

/** Release builds first: they are the fast ones. */
export const KERNELS: readonly EngineKind[] = [
  ...kernel("kernel", true, false),
  ...kernel("tags-only kernel", false, false),
  ...kernel("debug kernel", true, true),
  ...kernel("tags-only debug kernel", false, true),
];

export const ENGINES: readonly EngineKind[] = [...(REFERENCE ? [REFERENCE] : []), ...KERNELS];
