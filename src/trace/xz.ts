/**
 * Streaming xz decompression through the WebAssembly of the package xz-decompress. Its public stream class holds a lock
 * on the whole process until it has been read to the end, so a second open trace, or one that was abandoned, would
 * hang; therefore this drives a WebAssembly instance of its own for every file.
 */
import { TraceError } from "../engine/errors.ts";

interface XzExports {
  readonly memory: WebAssembly.Memory;
  create_context(): number;
  destroy_context(context: number): void;
  supply_input(context: number, bytes: number): void;
  get_next_output(context: number): number;
}

interface XzStreamClass {
  _getModuleInstance(): Promise<void>;
  _moduleInstance?: { readonly exports: unknown };
}

/** Fields of the decoder's context, in 32-bit words. */
const BUFFER_BYTES = 0;
const INPUT = 1;
const INPUT_POSITION = 2;
const INPUT_BYTES = 3;
const OUTPUT = 4;
const OUTPUT_POSITION = 5;

const OUTPUTS_A_TURN = 256;

/** Answers of xz-embedded's `xz_dec_run`. */
const XZ_OK = 0;
const XZ_STREAM_END = 1;
const XZ_BUFFER_ERROR = 8;
const REASONS: Readonly<Record<number, readonly [found: string, expected: string]>> = {
  2: ["an unknown integrity check", "CRC32, CRC64 or none"],
  3: ["a dictionary for which there is no memory", "64 MiB or less"],
  4: ["a dictionary of more than 64 MiB", "64 MiB or less"],
  5: ["no xz header", "FD 37 7A 58 5A 00"],
  6: ["an option of xz that isn't supported", "LZMA2 without other filters, and a check of CRC32, CRC64 or none"],
  7: ["damaged data or a wrong checksum", "an intact xz stream"],
};

/** Decompresses; a chunk is valid until the next one is asked for. Throws `TraceError` on damaged or truncated data. */
export async function* unxz(
  chunks: AsyncIterable<Uint8Array>,
  file: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  const xz = await instantiate();
  const context = xz.create_context();
  const fields = () => new Uint32Array(xz.memory.buffer, context, OUTPUT_POSITION + 1);
  let offset = 0;

  /** One step; its output is there even when it ends in an error. */
  const step = (): { result: number; output: Uint8Array } => {
    let result: number;
    try {
      result = xz.get_next_output(context);
    } catch (cause) {
      throw new TraceError("can't decompress xz", { file, offset, cause });
    }
    const now = fields();
    const output = new Uint8Array(xz.memory.buffer, now[OUTPUT] as number, now[OUTPUT_POSITION] as number);
    now[OUTPUT_POSITION] = 0;
    offset += output.length;
    return { result, output };
  };
  /** Highly compressed input gives output for seconds; timers and signals must have their turn meanwhile. */
  let outputs = 0;
  const breathe = async (): Promise<void> => {
    if (++outputs % OUTPUTS_A_TURN === 0) await new Promise((resolve) => setTimeout(resolve));
  };
  const check = (result: number): void => {
    if (result === XZ_OK) return;
    const [found, expected] = REASONS[result] ?? [`error ${result}`, "an intact xz stream"];
    throw new TraceError("can't decompress xz", { file, offset, found, expected });
  };

  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; ) {
      const before = fields();
      const piece = chunk.subarray(at, at + (before[BUFFER_BYTES] as number));
      new Uint8Array(xz.memory.buffer, before[INPUT] as number, piece.length).set(piece);
      xz.supply_input(context, piece.length);
      at += piece.length;
      // A full output buffer can hide more output that needs no more input.
      for (let full = true; full || fields()[INPUT_POSITION] !== fields()[INPUT_BYTES]; ) {
        const { result, output } = step();
        full = output.length === fields()[BUFFER_BYTES];
        if (output.length > 0) yield output;
        await breathe();
        if (result === XZ_BUFFER_ERROR && fields()[INPUT_POSITION] === fields()[INPUT_BYTES]) break;
        check(result);
      }
    }
  }
  // An empty input tells the decoder that this is the end: of one stream, or of several after one another.
  xz.supply_input(context, 0);
  for (let last = XZ_OK; last !== XZ_STREAM_END; ) {
    const { result, output } = step();
    if (output.length > 0) yield output;
    else if (result !== XZ_STREAM_END && (result === XZ_OK || result === XZ_BUFFER_ERROR)) {
      throw new TraceError("truncated xz data", {
        file,
        offset,
        found: "the end of the file",
        expected: "the end of the xz stream",
      });
    }
    if (result !== XZ_STREAM_END) check(result);
    last = result;
  }
  xz.destroy_context(context);
}

async function instantiate(): Promise<XzExports> {
  // The package is CommonJS: bundlers give its exports by name, Node as the default export.
  const imported = (await import("xz-decompress")) as unknown as {
    XzReadableStream?: XzStreamClass;
    default?: { XzReadableStream?: XzStreamClass };
  };
  const stream = imported.XzReadableStream ?? imported.default?.XzReadableStream;
  await stream?._getModuleInstance();
  const exports = stream?._moduleInstance?.exports as XzExports | undefined;
  if (typeof exports?.get_next_output !== "function") throw new Error("this version of xz-decompress isn't 0.2.3");
  return exports;
}
