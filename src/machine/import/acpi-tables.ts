/**
 * ACPI tables as firmware leaves them in /sys/firmware/acpi/tables: the header (ACPI 6.5, 5.2.6), and the contents of PPTT
 * (5.2.30), MADT (5.2.12), SRAT (5.2.16) and IORT (Arm DEN 0049).
 */
import { ByteReader, latin1 } from "./byte-reader.ts";

const HEADER_BYTES = 36;
/** Enough for any machine; bounds what a table of empty entries can cost. */
const MAX_ENTRIES = 65_536;

export interface AcpiTable {
  readonly signature: string;
  readonly reader: ByteReader;
  readonly oemTableId: string;
  readonly checksumRight: boolean;
}

/** Signatures whose contents are read; any other table is left aside. */
export const READ_TABLES = ["PPTT", "APIC", "SRAT", "IORT"] as const;

const KNOWN_SIGNATURE =
  /^(PPTT|APIC|SRAT|IORT|DSDT|SSDT|FACP|MCFG|GTDT|SPCR|DBG2|SLIT|BGRT|HMAT|HPET|WAET|TPM2|BERT|ERST|EINJ|HEST|AGDI|MPAM|APMT|SDEI|FPDT|PCCT|XSDT|RSDT|DMAR|IVRS|MSCT|NFIT|WDAT|OEM[0-9])$/;

/** Whether a file begins with a table: a signature, and a length of less than 256 MiB, which no text has there. */
export function isAcpiTable(bytes: Uint8Array): boolean {
  return bytes.length >= 8 && KNOWN_SIGNATURE.test(latin1(bytes.subarray(0, 4))) && bytes[7]! < 16;
}

/** The tables of a file, one after another; usually there is one. */
export function splitAcpiTables(name: string, bytes: Uint8Array): AcpiTable[] {
  const tables: AcpiTable[] = [];
  const whole = new ByteReader(name, bytes, { littleEndian: true });
  let at = 0;
  while (at < bytes.length) {
    // A file may be padded.
    if (bytes[at] === 0) {
      at++;
      continue;
    }
    whole.need(at, HEADER_BYTES, "an ACPI table's header");
    const signature = latin1(bytes.subarray(at, at + 4));
    const length = whole.u32(at + 4, "a table's length");
    if (!/^[A-Z][A-Z0-9_ ]{3}$/.test(signature)) {
      whole.fail(at, "not an ACPI table", "a signature such as PPTT", JSON.stringify(signature));
    }
    if (length < HEADER_BYTES) whole.fail(at + 4, `${signature} is too short`, "36 bytes or more", `${length}`);
    const table = whole.slice(at, length, `the table ${signature}`);
    tables.push({
      signature,
      reader: new ByteReader(`${name} (${signature})`, table, { littleEndian: true }),
      oemTableId: latin1(table.subarray(16, 24))
        .replace(/[^\x21-\x7e]+/g, " ")
        .trim(),
      checksumRight: table.reduce((sum, byte) => sum + byte, 0) % 256 === 0,
    });
    at += length;
    if (tables.length > 4096) whole.fail(at, "too many tables", "4096 at most");
  }
  return tables;
}

/** Entries that begin with type and length, one byte each. */
function* entries(
  reader: ByteReader,
  from: number,
  least: Readonly<Record<number, number>>,
): Generator<{ type: number; at: number; length: number }, void, undefined> {
  let at = from;
  for (let count = 0; at < reader.length; count++) {
    const type = reader.u8(at, "an entry");
    const length = reader.u8(at + 1, "an entry's length");
    const needed = least[type] ?? 2;
    if (length < needed)
      reader.fail(at, `an entry of type ${type} is too short`, `${needed} bytes or more`, `${length}`);
    reader.need(at, length, `an entry of type ${type}`);
    if (count > MAX_ENTRIES) reader.fail(at, "too many entries", `${MAX_ENTRIES} at most`);
    yield { type, at, length };
    at += length;
  }
}

// PPTT

export interface PpttProcessor {
  readonly offset: number;
  readonly parent: number;
  readonly isPackage: boolean;
  readonly isThread: boolean;
  readonly isLeaf: boolean;
  /** ACPI processor UID, where valid. */
  readonly uid: number | undefined;
  /** Offsets of the caches that belong to this processor or group alone. */
  readonly resources: readonly number[];
}

export interface PpttCache {
  readonly offset: number;
  readonly next: number;
  readonly holds: "data" | "instructions" | "unified";
  readonly sizeBytes: number | undefined;
  readonly sets: number | undefined;
  readonly ways: number | undefined;
  readonly lineBytes: number | undefined;
  readonly write: "back" | "through" | undefined;
  readonly allocate: "read" | "write" | "read-write" | undefined;
}

export interface Pptt {
  readonly processors: ReadonlyMap<number, PpttProcessor>;
  readonly caches: ReadonlyMap<number, PpttCache>;
}

const PROCESSOR = { PACKAGE: 1, UID_VALID: 2, THREAD: 4, LEAF: 8 } as const;

export function readPptt({ reader }: AcpiTable): Pptt {
  const processors = new Map<number, PpttProcessor>();
  const caches = new Map<number, PpttCache>();
  for (const { type, at, length } of entries(reader, HEADER_BYTES, { 0: 20, 1: 24 })) {
    if (type === 0) {
      const flags = reader.u32(at + 4, "a processor's flags");
      const count = reader.u32(at + 16, "a processor's resources");
      if (20 + count * 4 > length) {
        reader.fail(at + 16, "resources lie outside their entry", `${(length - 20) / 4} at most`, `${count}`);
      }
      processors.set(at, {
        offset: at,
        parent: reader.u32(at + 8, "a processor's parent"),
        isPackage: (flags & PROCESSOR.PACKAGE) !== 0,
        isThread: (flags & PROCESSOR.THREAD) !== 0,
        isLeaf: (flags & PROCESSOR.LEAF) !== 0,
        uid: flags & PROCESSOR.UID_VALID ? reader.u32(at + 12, "a processor's UID") : undefined,
        resources: Array.from({ length: count }, (_, index) => reader.u32(at + 20 + index * 4, "a resource")),
      });
    } else if (type === 1) {
      caches.set(at, readPpttCache(reader, at));
    }
  }
  return { processors, caches };
}

function readPpttCache(reader: ByteReader, at: number): PpttCache {
  const flags = reader.u32(at + 4, "a cache's flags");
  const attributes = reader.u8(at + 21, "a cache's attributes");
  const valid = (bit: number, value: number) => (flags & (1 << bit) && value !== 0 ? value : undefined);
  const holds = (["data", "instructions", "unified", "unified"] as const)[(attributes >> 2) & 3]!;
  return {
    offset: at,
    next: reader.u32(at + 8, "a cache's next level"),
    holds: flags & (1 << 4) ? holds : "unified",
    sizeBytes: valid(0, reader.u32(at + 12, "a cache's size")),
    sets: valid(1, reader.u32(at + 16, "a cache's sets")),
    ways: valid(2, reader.u8(at + 20, "a cache's associativity")),
    lineBytes: valid(6, reader.u16(at + 22, "a cache's line size")),
    allocate: flags & (1 << 3) ? (["read", "write", "read-write", "read-write"] as const)[attributes & 3] : undefined,
    write: flags & (1 << 5) ? (attributes & 16 ? "through" : "back") : undefined,
  };
}

// MADT and SRAT

export interface MadtProcessor {
  readonly uid: number;
  readonly apicId: number | undefined;
  readonly enabled: boolean;
}

/** GICC entries of Arm; local APICs and x2APICs of x86. */
export function readMadt({ reader }: AcpiTable): MadtProcessor[] {
  const found: MadtProcessor[] = [];
  for (const { type, at } of entries(reader, 44, { 0: 8, 9: 16, 11: 40 })) {
    if (type === 0x0b) {
      const enabled = (reader.u32(at + 12, "a GICC's flags") & 1) !== 0;
      found.push({ uid: reader.u32(at + 8, "a GICC's UID"), apicId: undefined, enabled });
    } else if (type === 0) {
      const enabled = (reader.u32(at + 4, "an APIC's flags") & 1) !== 0;
      found.push({ uid: reader.u8(at + 2, "an APIC's UID"), apicId: reader.u8(at + 3, "an APIC's ID"), enabled });
    } else if (type === 9) {
      const enabled = (reader.u32(at + 8, "an x2APIC's flags") & 1) !== 0;
      found.push({
        uid: reader.u32(at + 12, "an x2APIC's UID"),
        apicId: reader.u32(at + 4, "an x2APIC's ID"),
        enabled,
      });
    }
  }
  return found;
}

export interface Srat {
  readonly nodeOfUid: ReadonlyMap<number, number>;
  readonly nodeOfApicId: ReadonlyMap<number, number>;
  readonly memory: readonly { readonly base: number; readonly sizeBytes: number; readonly node: number }[];
}

export function readSrat({ reader }: AcpiTable): Srat {
  const nodeOfUid = new Map<number, number>();
  const nodeOfApicId = new Map<number, number>();
  const memory: { base: number; sizeBytes: number; node: number }[] = [];
  for (const { type, at } of entries(reader, 48, { 0: 16, 1: 40, 2: 24, 3: 18 })) {
    if (type === 3 && reader.u32(at + 10, "flags") & 1) {
      nodeOfUid.set(reader.u32(at + 6, "a UID"), reader.u32(at + 2, "a proximity domain"));
    } else if (type === 0 && reader.u32(at + 4, "flags") & 1) {
      nodeOfApicId.set(reader.u8(at + 3, "an APIC's ID"), reader.u8(at + 2, "a proximity domain"));
    } else if (type === 2 && reader.u32(at + 12, "flags") & 1) {
      nodeOfApicId.set(reader.u32(at + 8, "an x2APIC's ID"), reader.u32(at + 4, "a proximity domain"));
    } else if (type === 1 && reader.u32(at + 28, "flags") & 1) {
      const base = Number(reader.u64(at + 8, "a base address"));
      const sizeBytes = Number(reader.u64(at + 16, "a length"));
      if (sizeBytes > 0 && Number.isSafeInteger(base) && Number.isSafeInteger(sizeBytes)) {
        memory.push({ base, sizeBytes, node: reader.u32(at + 2, "a proximity domain") });
      }
    }
  }
  return { nodeOfUid, nodeOfApicId, memory };
}

// IORT

export interface IortDevice {
  readonly name: string;
  /** Memory access properties: cache-coherent at all, and what makes it so. */
  readonly cca: boolean;
  readonly coherentPath: boolean;
  readonly cacheableAttributes: boolean;
}

export function readIort({ reader }: AcpiTable): IortDevice[] {
  const count = reader.u32(36, "the number of nodes");
  let at = reader.u32(40, "the offset of the nodes");
  const found: IortDevice[] = [];
  for (let index = 0; index < Math.min(count, MAX_ENTRIES) && at < reader.length; index++) {
    const type = reader.u8(at, "a node");
    const length = reader.u16(at + 1, "a node's length");
    if (length < 16) reader.fail(at + 1, "a node is too short", "16 bytes or more", `${length}`);
    reader.need(at, length, "a node");
    if (type === 1) {
      const full = reader.text(at + 29, at + length, "a named component's name");
      found.push({ name: full.replace(/[^\x20-\x7e]/g, "?"), ...accessProperties(reader, at + 20) });
    } else if (type === 2) {
      const segment = reader.u32(at + 28, "a root complex's segment");
      found.push({ name: `pci${segment}`, ...accessProperties(reader, at + 16) });
    }
    at += length;
  }
  return found;
}

function accessProperties(reader: ByteReader, at: number): Omit<IortDevice, "name"> {
  const flags = reader.u8(at + 7, "memory access flags");
  return {
    cca: reader.u32(at, "memory access properties") === 1,
    coherentPath: (flags & 1) !== 0,
    cacheableAttributes: (flags & 2) !== 0,
  };
}
