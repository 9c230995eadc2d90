/**
 * The layout of `.swt`, setway's own trace container, as docs/trace-format.md specifies it: numbers and the descriptive
 * header. Reading, writing and the column transform are in files of their own.
 */
import { TraceError } from "../engine/errors.ts";
import { ADDRESS_KINDS, type AddressKind, type Stripping, type TraceDescription } from "./source.ts";

/** A byte above 127, both line ends and a DOS end-of-file: whatever mangles binary files shows at once, as in PNG. */
export const MAGIC = Uint8Array.of(0x89, 0x53, 0x57, 0x54, 0x0d, 0x0a, 0x1a, 0x0a);
export const VERSION = 1;
/** Magic, version and length of the description. */
export const PREAMBLE_BYTES = 16;
export const LARGEST_DESCRIPTION_BYTES = 1 << 20;

/** `CHNK` and `END ` as little-endian numbers. */
export const CHUNK_MARKER = 0x4b4e4843;
export const END_MARKER = 0x20444e45;
export const MARKER_BYTES = 4;
/** Marker, number, entries, bytes of the line column, four compressed lengths. The checksum follows. */
export const CHUNK_HEADER_BYTES = 32;
/** Marker, chunks, entries and records (two words each). The checksum follows. */
export const END_BYTES = 24;
export const CHECKSUM_BYTES = 4;
export const LARGEST_CHUNK_ENTRIES = 65536;

/** No deflate of so many bytes is longer: what a reader is asked to hold stays bounded. */
export const mostCompressed = (bytes: number): number => bytes + (bytes >>> 4) + 1024;

/** What stands in the file, as JSON. Readers pass over keys that they don't know. */
interface Description {
  addresses: AddressKind;
  provenance: { maintenance: boolean; control: boolean; dma: boolean; ownership: boolean };
  requesters?: number;
  initialSctlr?: number;
  records?: number;
  source?: string;
  stripping?: { sets: number; lineBytes: number; note?: string };
}

export function encodeDescription(description: TraceDescription): Uint8Array {
  const { addresses, provenance, requesters, initialSctlr, records, source, stripping } = description;
  const { maintenance, control, dma, ownership } = provenance;
  const json: Description = {
    addresses,
    provenance: { maintenance, control, dma, ownership },
    ...(requesters === undefined ? {} : { requesters }),
    ...(initialSctlr === undefined ? {} : { initialSctlr }),
    ...(records === undefined ? {} : { records }),
    ...(source === undefined ? {} : { source }),
    ...(stripping === undefined ? {} : { stripping: strippingJson(stripping) }),
  };
  return new TextEncoder().encode(JSON.stringify(json));
}

const strippingJson = ({ sets, lineBytes, note }: Stripping) => ({
  sets,
  lineBytes,
  ...(note === undefined ? {} : { note }),
});

/** Throws `TraceError` naming the key that is missing or wrong. */
export function decodeDescription(bytes: Uint8Array, file: string): TraceDescription {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new TraceError("the description isn't JSON", { file, offset: PREAMBLE_BYTES, expected: "UTF-8 JSON", cause });
  }
  const top = fieldsOf(json, "the description");
  const provenance = fieldsOf(top.provenance, "provenance");

  return {
    addresses: oneOf(top.addresses, "addresses"),
    provenance: {
      maintenance: flag(provenance, "maintenance"),
      control: flag(provenance, "control"),
      dma: flag(provenance, "dma"),
      ownership: flag(provenance, "ownership"),
    },
    requesters: number(top, "requesters", 1, 65535),
    initialSctlr: number(top, "initialSctlr", 0, 2 ** 48 - 1),
    records: number(top, "records", 0, Number.MAX_SAFE_INTEGER),
    source: text(top, "source"),
    stripping: top.stripping === undefined ? undefined : readStripping(fieldsOf(top.stripping, "stripping")),
  };

  function readStripping(fields: Readonly<Record<string, unknown>>): Stripping {
    const sets = number(fields, "sets", 1, 2 ** 32);
    const lineBytes = number(fields, "lineBytes", 1, 2 ** 32);
    if (sets === undefined) throw wrong("stripping.sets", undefined, "a number");
    if (lineBytes === undefined) throw wrong("stripping.lineBytes", undefined, "a number");
    return { sets, lineBytes, note: text(fields, "note") };
  }
  function fieldsOf(value: unknown, name: string): Readonly<Record<string, unknown>> {
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
    throw wrong(name, value, "an object");
  }
  function oneOf(value: unknown, name: string): AddressKind {
    const kind = ADDRESS_KINDS.find((known) => known === value);
    if (kind === undefined) throw wrong(name, value, ADDRESS_KINDS.join(", "));
    return kind;
  }
  function flag(fields: Readonly<Record<string, unknown>>, name: string): boolean {
    const value = fields[name];
    if (typeof value !== "boolean") throw wrong(`provenance.${name}`, value, "true or false");
    return value;
  }
  function number(
    fields: Readonly<Record<string, unknown>>,
    name: string,
    least: number,
    most: number,
  ): number | undefined {
    const value = fields[name];
    if (value === undefined) return undefined;
    if (typeof value === "number" && Number.isInteger(value) && value >= least && value <= most) return value;
    throw wrong(name, value, `a whole number from ${least} to ${most}`);
  }
  function text(fields: Readonly<Record<string, unknown>>, name: string): string | undefined {
    const value = fields[name];
    if (value === undefined || typeof value === "string") return value;
    throw wrong(name, value, "a string");
  }
  function wrong(path: string, value: unknown, expected: string): TraceError {
    const found = value === undefined ? "nothing" : (JSON.stringify(value) ?? "nothing").slice(0, 60);
    return new TraceError("wrong description", { file, path, found, expected });
  }
}
