/** The studies of `setway cost`, by name. */
import { dma } from "./dma.ts";
import { jit } from "./jit.ts";
import { setwayEmulation } from "./setway-emulation.ts";
import type { AnyStudy } from "./study.ts";
import { tlb } from "./tlb.ts";
import { unmapFlush } from "./unmap-flush.ts";
import { vga } from "./vga.ts";

export { type AnyStudy, runStudy, type StudyResult } from "./study.ts";

export const STUDIES: Readonly<Record<string, AnyStudy>> = Object.fromEntries(
  [setwayEmulation, unmapFlush, vga, dma, jit, tlb].map((study) => [study.name, study as AnyStudy]),
);
