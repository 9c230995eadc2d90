/** Where studies put their buffers: the largest region of RAM, without its first MiB. */
import { SetwayError } from "../engine/errors.ts";
import type { ResolvedMachine } from "../machine/resolved.ts";

const OFFSET_BYTES = 2 ** 20;

/** A page-aligned physical address with so many bytes of RAM behind it. */
export function bufferOf(machine: ResolvedMachine, bytes: number): number {
  const [largest] = machine.memory.filter(({ type }) => type === "ram").sort((a, b) => b.sizeBytes - a.sizeBytes);
  if (largest === undefined || largest.sizeBytes < OFFSET_BYTES + bytes) {
    throw new SetwayError("usage", `${machine.name} has too little memory`, {
      found: `${largest?.sizeBytes ?? 0} bytes`,
      expected: `at least ${OFFSET_BYTES + bytes} bytes of RAM in one region`,
    });
  }
  return largest.base + OFFSET_BYTES;
}
