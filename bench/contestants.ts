/**
 * Who plays: the kernel in both builds, in program order, in shards; the typed arrays; the reference model. Native programs and
 * cachegrind run by themselves.
 */
import type { Engine } from "../src/engine/engine.ts";
import { createKernel, type Kernel, type KernelOptions } from "../src/engine/kernel.ts";
import { createReference } from "../src/engine/reference.ts";
import { loadMachine } from "../src/machine/index.ts";
import type { ResolvedMachine } from "../src/machine/resolved.ts";
import type { Stream } from "./streams.ts";
import { TypedArrayHost } from "./typed-array.ts";

export const CONTESTANTS = [
  "yardstick",
  "limit",
  "hazards",
  "tags",
  "program",
  "shards2",
  "shards4",
  "data",
  "typed",
  "reference",
  "cachegrind",
] as const;
export type Contestant = (typeof CONTESTANTS)[number];

/** Native programs: both know one machine, and print the same. */
export const NATIVES = ["yardstick", "limit"] as const satisfies readonly Contestant[];
export type Native = (typeof NATIVES)[number];

/** The contestants that are JavaScript or WebAssembly: each is played in a process of its own. `hazards` is a native loop. */
export type Player = Exclude<Contestant, Native | "hazards" | "cachegrind">;

/** Threads of the contestants that have several. */
export const SHARDS: Partial<Readonly<Record<Contestant, number>>> = { shards2: 2, shards4: 4 };

/** Contestants that are compared with another one than all others are. */
const COMPARED_WITH: Partial<Readonly<Record<Contestant, Contestant>>> = {
  program: "tags",
  shards2: "tags",
  shards4: "tags",
};

/** Whom a contestant is compared with on a stream, if not with whom all others are: shards with one kernel of their build. */
export const comparedWith = (contestant: Contestant, { translates }: Pick<Stream, "translates">) =>
  translates && COMPARED_WITH[contestant] ? "data" : COMPARED_WITH[contestant];

/** Who can play a stream whose addresses are virtual: kernels that carry data, in one thread or several. */
const TRANSLATE: readonly Contestant[] = ["shards2", "shards4", "data"];

export const canPlay = (contestant: Contestant, { translates }: Pick<Stream, "translates">): boolean =>
  !translates || TRANSLATE.includes(contestant);

/** What a player needs of a stream. */
export type PlayedStream = Pick<Stream, "provenance" | "initialSctlr" | "translates">;

/** Everybody's machine, since the yardstick knows no other. */
export function machineFor({ initialSctlr }: Pick<Stream, "initialSctlr">): ResolvedMachine {
  const machine = loadMachine("host-100c");
  return initialSctlr === undefined ? machine : { ...machine, initialSctlr };
}

/** Whether a contestant knows nothing but loads, stores and fetches. */
export const onlyAccesses = (contestant: Contestant): boolean =>
  contestant === "yardstick" || contestant === "limit" || contestant === "typed";

/** Makes fresh players, each with everything cold. `wasm` replaces the package's kernel. */
export function playerFactory(
  player: Exclude<Player, "shards2" | "shards4">,
  stream: PlayedStream,
  wasm?: WebAssembly.Module,
): () => Pick<Engine, "play"> & Partial<Pick<Kernel, "settle">> {
  const machine = machineFor(stream);
  const { provenance } = stream;
  const options: KernelOptions = { provenance, ...(wasm === undefined ? {} : { wasm }) };
  switch (player) {
    case "tags":
      return () => createKernel(machine, { ...options, data: false });
    case "program":
      return () => createKernel(machine, { ...options, data: false, order: "program" });
    case "data":
      return () => createKernel(machine, { ...options, data: true });
    case "typed":
      return () => new TypedArrayHost();
    case "reference":
      return () => createReference(machine, { provenance });
  }
}
