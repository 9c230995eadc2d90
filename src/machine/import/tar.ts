/** Tar archives (POSIX ustar and pax, and GNU's long names): regular files by path, as views of the archive. */
import { MachineError } from "../../engine/errors.ts";
import { ByteReader, latin1 } from "./byte-reader.ts";
import { MAX_FILES } from "./file-tree.ts";

const BLOCK_BYTES = 512;

/** `ustar` stands in every header since 1988. */
export const isTar = (bytes: Uint8Array): boolean =>
  bytes.length >= BLOCK_BYTES && latin1(bytes.subarray(257, 262)) === "ustar";

export function* readTar(name: string, archive: Uint8Array): Generator<{ path: string; bytes: Uint8Array }, void> {
  const reader: ByteReader = new ByteReader(name, archive, { littleEndian: false });
  let at = 0;
  let longName: string | undefined;
  for (let count = 0; at + BLOCK_BYTES <= archive.length; count++) {
    const header = archive.subarray(at, at + BLOCK_BYTES);
    if (header.every((byte) => byte === 0)) return;
    if (count > MAX_FILES)
      throw new MachineError("too many files in the archive", { file: name, expected: `${MAX_FILES} at most` });
    checkHeader(reader, header, at);
    const size = numberField(reader, header, at + 124);
    const type = String.fromCharCode(header[156]!);
    const content = reader.slice(at + BLOCK_BYTES, size, "a file of the archive");
    const prefix = field(header, 345, 155);
    const ownName = `${prefix === "" ? "" : `${prefix}/`}${field(header, 0, 100)}`;
    at += BLOCK_BYTES + Math.ceil(size / BLOCK_BYTES) * BLOCK_BYTES;
    if (type === "L") longName = latin1(content).replace(/\0.*$/s, "");
    else if (type === "x") longName = paxPath(latin1(content)) ?? longName;
    else {
      const path = (longName ?? ownName).slice(0, 1024);
      longName = undefined;
      if (type === "0" || type === "\0" || type === "7") yield { path, bytes: content };
    }
  }
}

const field = (header: Uint8Array, offset: number, length: number): string =>
  latin1(header.subarray(offset, offset + length)).replace(/\0.*$/s, "");

/** Octal text, or GNU's binary form with the top bit set. */
function numberField(reader: ByteReader, header: Uint8Array, at: number): number {
  if (header[124]! & 0x80) {
    const value = header.subarray(125, 136).reduce((total, byte) => total * 256 + byte, 0);
    if (Number.isSafeInteger(value)) return value;
  }
  const text = field(header, 124, 12).trim();
  if (!/^[0-7]*$/.test(text)) reader.fail(at, "a size that is no octal number", "octal digits", JSON.stringify(text));
  return text === "" ? 0 : Number.parseInt(text, 8);
}

/** The sum over the header with its own field as blanks. */
function checkHeader(reader: ByteReader, header: Uint8Array, at: number): void {
  const text = field(header, 148, 8).trim();
  const said = /^[0-7]+$/.test(text) ? Number.parseInt(text, 8) : undefined;
  const sum = header.reduce((total, byte, index) => total + (index >= 148 && index < 156 ? 32 : byte), 0);
  if (said !== sum) reader.fail(at, "a tar header's checksum is wrong", sum.toString(8), JSON.stringify(text));
}

/** Records `LENGTH path=VALUE\n`. */
function paxPath(text: string): string | undefined {
  return /(?:^|\n)[0-9]+ path=([^\n]{1,1024})\n/.exec(text)?.[1];
}
