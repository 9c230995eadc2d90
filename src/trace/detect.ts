/** Says what a trace is from its first bytes, and from its name where they leave it open. */
import { TraceError } from "../engine/errors.ts";
import { looksLikeChampsim } from "./champsim.ts";
import { drmemtraceHead } from "./drmemtrace-layout.ts";
import { GEM5_MAGIC } from "./gem5.ts";
import { looksLikePerf } from "./perf.ts";
import { COMPRESSIONS, type Compression, TRACE_FORMATS, type TraceFormat } from "./source.ts";
import { MAGIC } from "./swt-layout.ts";
import { quote } from "./text.ts";

/** Enough for a tar header, and for the first lines of a text. */
export const DETECTION_BYTES = 4096;
const TAR_BLOCK_BYTES = 512;

const XZ_MAGIC = [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00];
const GZIP_MAGIC = [0x1f, 0x8b, 0x08];
const ZSTD_MAGIC = [0x28, 0xb5, 0x2f, 0xfd];
/** Of the first member, or of the end of an archive without members. */
const ZIP_MAGICS = [
  [0x50, 0x4b, 0x03, 0x04],
  [0x50, 0x4b, 0x05, 0x06],
];

/** Containers that people try, and what to do instead. */
const FOREIGN: readonly (readonly [name: string, magic: readonly number[]])[] = [
  ["bzip2 data", [0x42, 0x5a, 0x68]],
  ["lz4 data", [0x04, 0x22, 0x4d, 0x18]],
];

const EXTENSIONS: Readonly<Record<string, TraceFormat>> = {
  raw64: "raw64",
  swt: "swt",
  din: "din",
  lackey: "lackey",
  drmemtrace: "drmemtrace",
  trc: "gem5",
  champsimtrace: "champsim",
  champsim: "champsim",
};

const extensionOf = (name: string): string => /\.([^./\\]+)$/.exec(name)?.[1]?.toLowerCase() ?? "";

/** The format that a name claims, its compression's extension taken off. */
export function formatByName(name: string): {
  readonly format: TraceFormat | undefined;
  readonly compression: Compression;
} {
  const outer = extensionOf(name);
  const compression = COMPRESSIONS.find((known) => known === outer) ?? "none";
  const inner = compression === "none" ? outer : extensionOf(name.slice(0, -1 - outer.length));
  return { format: Object.hasOwn(EXTENSIONS, inner) ? EXTENSIONS[inner] : undefined, compression };
}

export function detectCompression(head: Uint8Array): Compression {
  if (startsWith(head, XZ_MAGIC)) return "xz";
  if (startsWith(head, ZSTD_MAGIC) || beginsSkippable(head)) return "zst";
  if (ZIP_MAGICS.some((magic) => startsWith(head, magic))) return "zip";
  return startsWith(head, GZIP_MAGIC) ? "gz" : "none";
}

/** What parallel compressors put before the first frame: 0x184D2A50 to 5F, a length of four bytes, so many bytes. */
function beginsSkippable(head: Uint8Array): boolean {
  if (head.length < 12 || ((head[0] as number) & 0xf0) !== 0x50 || !startsWith(head.subarray(1), [0x2a, 0x4d, 0x18]))
    return false;
  const end = 8 + new DataView(head.buffer, head.byteOffset).getUint32(4, true);
  return startsWith(head.subarray(end), ZSTD_MAGIC);
}

/** Content first, name second. `sizeBytes` is that of the uncompressed trace if known. Throws `TraceError`. */
export function detectFormat(head: Uint8Array, file: string, sizeBytes: number | undefined): TraceFormat {
  if (startsWith(head, MAGIC)) return "swt";
  if (startsWith(head, GEM5_MAGIC)) return "gem5";
  if (drmemtraceHead(head) !== undefined) return "drmemtrace";
  const named = formatByName(file).format;
  const text = detectText(head);
  if (text !== undefined) return text;
  refuseForeign(head, file, named);
  if (named !== undefined) return named;
  // A pipe whose writer failed, more often than a trace of no records.
  if (head.length === 0) {
    throw new TraceError("not a trace", {
      file,
      found: "nothing at all",
      expected: `one of ${TRACE_FORMATS.join(", ")}; say which if a trace of no records is meant`,
    });
  }
  if (looksLikeChampsim(head, sizeBytes)) return "champsim";
  if (looksLikeText(head)) {
    const line = firstLine(head);
    throw new TraceError("not a trace", {
      file,
      line: line.number,
      column: 1,
      found: line.quoted,
      expected: `"label address" (din), "I  address,size" (lackey), "[cpu] event: address" (perf), or a binary trace`,
    });
  }
  if (sizeBytes === undefined || sizeBytes % 8 === 0) return "raw64";
  throw new TraceError("not a trace", {
    file,
    found: `${sizeBytes} bytes that are neither text nor .swt nor whole records of 8 bytes`,
    expected: `one of ${TRACE_FORMATS.join(", ")}; name it .raw64 to read it all the same`,
  });
}

function refuseForeign(head: Uint8Array, file: string, named: TraceFormat | undefined): void {
  const member = tarMember(head);
  if (member !== undefined) {
    throw new TraceError("a tar archive isn't a trace", {
      file,
      offset: 0,
      found: `the header of ${member}`,
      expected: "the trace itself: unpack it first",
    });
  }
  if (detectCompression(head) !== "none" && named === undefined) {
    throw new TraceError("compressed twice", {
      file,
      offset: 0,
      found: `${detectCompression(head)} data inside`,
      expected: "a trace",
    });
  }
  // Bare records can begin like anything; a name that says so is believed.
  if (named === "raw64") return;
  const foreign = FOREIGN.find(([, magic]) => startsWith(head, magic));
  if (foreign)
    throw new TraceError("unknown container", {
      file,
      offset: 0,
      found: foreign[0],
      expected: "no compression, gz, xz, zst or zip",
    });
}

/** The name of a tar archive's first member: its header has a checksum of its own, in octal. */
function tarMember(head: Uint8Array): string | undefined {
  if (head.length < TAR_BLOCK_BYTES) return undefined;
  const octal = /^[ 0]*([0-7]{1,6})[\0 ]/.exec(String.fromCharCode(...head.subarray(148, 157)));
  if (octal === null) return undefined;
  let sum = 8 * 32;
  for (let i = 0; i < TAR_BLOCK_BYTES; i++) if (i < 148 || i >= 156) sum += head[i] as number;
  if (sum !== Number.parseInt(octal[1] as string, 8)) return undefined;
  const end = head.indexOf(0);
  return quote(head, 0, end < 0 || end > 100 ? 100 : end);
}

function detectText(head: Uint8Array): TraceFormat | undefined {
  const { text } = firstLine(head);
  if (/^\s*[0-9]\s+(0x)?[0-9a-f]+(\s|$)/i.test(text)) return "din";
  if (/^\s*[ILSM]\s+(0x)?[0-9a-f]+,/i.test(text) || /^(==|--|\*\*)\d+\1/.test(text)) return "lackey";
  return looksLikePerf(text) ? "perf" : undefined;
}

/** The first line that isn't blank, as far as `head` has it; empty if that is no text. */
function firstLine(head: Uint8Array): { readonly number: number; readonly text: string; readonly quoted: string } {
  let number = 1;
  let start = 0;
  for (; start < head.length && isBlank(head[start] as number); start++) if (head[start] === 10) number++;
  while (start > 0 && head[start - 1] !== 10) start--;
  let end = head.indexOf(10, start);
  if (end < 0) end = head.length;
  const line = head.subarray(start, end);
  return { number, text: looksLikeText(line) ? String.fromCharCode(...line) : "", quoted: quote(line, 0, line.length) };
}

const isBlank = (byte: number): boolean => byte === 32 || (byte >= 9 && byte <= 13);

const looksLikeText = (bytes: Uint8Array): boolean =>
  bytes.length > 0 && bytes.every((byte) => (byte >= 32 && byte < 127) || isBlank(byte));

const startsWith = (bytes: Uint8Array, magic: ArrayLike<number>): boolean =>
  bytes.length >= magic.length && Array.from(magic).every((byte, index) => bytes[index] === byte);
