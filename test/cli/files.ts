/** Files that the command line's tests read: small traces and machines in a folder of their own, gone afterwards. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { dc, load, type RecordEntry, records, sctlr, store } from "../../src/engine/record.ts";

export interface Folder {
  /** Writes a file and returns its path. */
  write(name: string, content: string | Uint8Array): string;
  path(name: string): string;
  remove(): void;
}

export function temporaryFolder(): Folder {
  const root = mkdtempSync(join(tmpdir(), "setway-cli-"));
  const path = (name: string) => join(root, name);
  return {
    path,
    write: (name, content) => {
      writeFileSync(path(name), content);
      return path(name);
    },
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}

/** Records as the bytes of a .raw64. */
export function raw64(...entries: readonly RecordEntry[]): Uint8Array {
  const words = records(...entries);
  return new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
}

/** A store that stays in the L1D when the caches go off; the load after that sees memory: one stale read. */
export const STALE: readonly RecordEntry[] = [store(0, 0x1000), sctlr(0, "I"), load(0, 0x1000)];

/** The same with maintenance by VA between: nothing stale. */
export const CLEAN: readonly RecordEntry[] = [store(0, 0x1000), dc.civac(0, 0x1000), sctlr(0, "I"), load(0, 0x1000)];

/** One core, 32 KiB L1D, memory from 0. */
export const SMALL_MACHINE = `
name: small
cores: 1
caches:
  L1I: { size: 32KiB, ways: 2 }
  L1D: { size: 32KiB, ways: 4 }
memory: [{ base: 0, size: 1MiB }]
`;
