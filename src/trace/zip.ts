/**
 * Zip archives whose members, one after another, are one trace: how drmemtrace cuts a thread's records into chunks. The
 * directory of a zip archive is at its end, so this needs an input that can be read anywhere; members are still streamed.
 */
import type { Entry, FileEntry, ZipReader } from "@zip.js/zip.js";
import { SetwayError, TraceError } from "../engine/errors.ts";
import type { ByteSource } from "./bytes.ts";

/** Members of at most this many bytes before inflation are asked for at a time. */
const READ_BYTES = 1 << 18;

export interface ZipStream {
  /** What errors call the place: the archive and the member that is being read. */
  readonly name: string;
  /** Bytes of the stream before that member. */
  readonly memberOffset: number;
  chunks(): AsyncGenerator<Uint8Array, void, undefined>;
}

/** `onRead` hears of every read of the archive. The stream throws `TraceError`. */
export function zipStream(source: ByteSource, onRead: (bytes: number) => void = () => {}): ZipStream {
  let member = "";
  let memberOffset = 0;
  const named = (): string => (member === "" ? source.name : `${source.name} (${member})`);
  return {
    get name() {
      return named();
    },
    get memberOffset() {
      return memberOffset;
    },
    async *chunks() {
      const readAt = source.readAt?.bind(source);
      const { totalBytes } = source;
      if (readAt === undefined || totalBytes === undefined) {
        throw new TraceError("a zip archive can't be read from a pipe", {
          file: source.name,
          found: "an input that only goes forward",
          expected: "a file: the directory of a zip archive is at its end",
        });
      }
      const readBytes = readAt;
      // Only who reads a zip archive pays for the library.
      const zip = await import("@zip.js/zip.js");
      class SourceReader extends zip.Reader<undefined> {
        override size = totalBytes as number;
        override async init(): Promise<void> {}
        override async readUint8Array(index: number, length: number): Promise<Uint8Array> {
          const bytes = await readBytes(index, Math.min(length, this.size - index));
          onRead(bytes.length);
          return bytes;
        }
      }
      const archive: ZipReader<undefined> = new zip.ZipReader(new SourceReader(undefined), {
        useWebWorkers: false,
        checkSignature: true,
      });
      let offset = 0;
      try {
        for await (const entry of archive.getEntriesGenerator()) {
          if (!isFile(entry)) continue;
          member = entry.filename;
          memberOffset = offset;
          if (entry.encrypted) throw new TraceError("an encrypted zip archive", { file: named() });
          for await (const chunk of inflated(entry)) {
            offset += chunk.length;
            yield chunk;
          }
        }
      } catch (cause) {
        if (cause instanceof SetwayError) throw cause;
        const found = cause instanceof Error ? cause.message : String(cause);
        throw new TraceError("can't read the zip archive", {
          file: named(),
          found,
          expected: "an intact zip archive",
          cause,
        });
      } finally {
        await archive.close().catch(() => {});
      }
    },
  };
}

const isFile = (entry: Entry): entry is FileEntry => !entry.directory;

/** The bytes of one member as they come out of the inflater. */
async function* inflated(entry: FileEntry): AsyncGenerator<Uint8Array, void, undefined> {
  let fail = (_: unknown): void => {};
  const strategy = { highWaterMark: READ_BYTES, size: (chunk: Uint8Array | undefined) => chunk?.length ?? 0 };
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>(
    {
      start: (controller) => {
        fail = (error) => controller.error(error);
      },
    },
    strategy,
    strategy,
  );
  const abandon = new AbortController();
  const reader = readable.getReader();
  const feed = entry.getData(writable, { signal: abandon.signal });
  // It may fail before it has touched the stream, whose reader would wait for ever.
  feed.catch(fail);
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) yield part.value;
    await feed;
  } finally {
    abandon.abort();
    await reader.cancel().catch(() => {});
    await feed.catch(() => {});
  }
}
