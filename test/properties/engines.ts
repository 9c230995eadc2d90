/** The engines that every shared test runs on: the reference model, and the kernel with and without data, release and debug build. */
import { readFileSync } from "node:fs";
import type { Engine, PlayOrder, Provenance } from "../../src/engine/engine.ts";
import { createKernel } from "../../src/engine/kernel.ts";
import { createReference } from "../../src/engine/reference.ts";
import type { ResolvedMachine } from "../../src/machine/resolved.ts";

export interface EngineKind {
  readonly name: string;
  readonly carriesData: boolean;
  create(machine: ResolvedMachine, provenance: Provenance): Engine;
}

export const REFERENCE: EngineKind = {
  name: "reference",
  carriesData: true,
  create: (machine, provenance) => createReference(machine, { provenance }),
};

/** `either` is program order on half of the machines, by a property that has nothing to do with it. */
export function kernel(
  name: string,
  data: boolean,
  order: PlayOrder | "either",
  wasm?: WebAssembly.Module,
): EngineKind {
  return {
    name,
    carriesData: data,
    create: (machine, provenance) => {
      const chosen = order !== "either" ? order : (machine.caches.length >> 1) % 2 === 0 ? "groups" : "program";
      return createKernel(machine, { provenance, data, order: chosen, ...(wasm ? { wasm } : {}) });
    },
  };
}

/** Debug builds have assertions and are not inlined in the package: `scripts/build.mjs` leaves them in build/kernel. */
export function debugBuild(target: "data" | "versions" | "tags"): WebAssembly.Module {
  return new WebAssembly.Module(readFileSync(new URL(`../../build/kernel/${target}.debug.wasm`, import.meta.url)));
}

export const RELEASE_KERNELS: readonly EngineKind[] = [
  kernel("kernel", true, "either"),
  kernel("tags-only kernel", false, "groups"),
];
export const DEBUG_KERNELS: readonly EngineKind[] = [
  kernel("debug kernel", true, "groups", debugBuild("data")),
  kernel("tags-only debug kernel", false, "program", debugBuild("versions")),
  kernel("plain tags debug kernel", false, "groups", debugBuild("tags")),
];

export const ENGINES: readonly EngineKind[] = [REFERENCE, ...RELEASE_KERNELS, ...DEBUG_KERNELS];
