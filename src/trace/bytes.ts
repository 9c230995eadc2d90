/** Streams of bytes that traces are read from and written to, and a reader that can look ahead. Nothing here knows a format. */

export interface ByteSource {
  readonly name: string;
  /** `undefined` where nobody knows, as with standard input. */
  readonly totalBytes: number | undefined;
  /** A chunk is valid until the next one is asked for. May be called once; leaving the loop lets go of the input. */
  chunks(): AsyncIterable<Uint8Array>;
  /** Bytes from anywhere, fewer at the end; only where the input is a file or the like. What it opens, `close` closes. */
  readAt?(offset: number, length: number): Promise<Uint8Array>;
  close?(): Promise<void>;
}

export interface ByteSink {
  readonly name: string;
  /** The bytes are the caller's again when the promise settles. */
  write(bytes: Uint8Array): Promise<void>;
  close(): Promise<void>;
  abort(): Promise<void>;
}

/** Bytes in memory as a source; `chunkBytes` at a time. */
export function bytesFrom(bytes: Uint8Array, name = "memory", chunkBytes = 65536): ByteSource {
  return {
    name,
    totalBytes: bytes.length,
    async *chunks() {
      for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
    },
    readAt: async (offset, length) => bytes.slice(offset, offset + length),
  };
}

/** A sink that keeps everything in memory. */
export function bytesInto(name = "memory"): ByteSink & { bytes(): Uint8Array } {
  let parts: Uint8Array[] = [];
  return {
    name,
    async write(bytes) {
      parts.push(bytes.slice());
    },
    async close() {},
    async abort() {
      parts = [];
    },
    bytes: () => concatenate(parts),
  };
}

/** A sink whose bytes come out of a source, one write at a time: a write settles when what it wrote has been used up. */
export function bytePipe(name = "pipe"): { readonly sink: ByteSink; readonly source: ByteSource } {
  let offered: { readonly bytes: Uint8Array; readonly used: () => void } | undefined;
  let ended: "closed" | "aborted" | undefined;
  let abandoned = false;
  /** Wakes whoever waits for an offer. */
  let wake = (): void => {};

  const end = async (how: "closed" | "aborted"): Promise<void> => {
    ended = how;
    wake();
  };
  return {
    sink: {
      name,
      write: (bytes) =>
        new Promise((resolve, reject) => {
          if (abandoned) return reject(new Error("nobody reads this pipe any more"));
          offered = { bytes, used: resolve };
          wake();
        }),
      close: () => end("closed"),
      abort: () => end("aborted"),
    },
    source: {
      name,
      totalBytes: undefined,
      async *chunks() {
        try {
          for (;;) {
            if (offered) {
              yield offered.bytes;
              const { used } = offered;
              offered = undefined;
              used();
            } else if (ended === "closed") return;
            else if (ended === "aborted") throw new Error("the writer of this pipe gave up");
            else {
              await new Promise<void>((resolve) => {
                wake = resolve;
              });
            }
          }
        } finally {
          abandoned = true;
          offered?.used();
        }
      },
    },
  };
}

export function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

const NOTHING = new Uint8Array(0);

/** Reads a stream of chunks in pieces of any size. An error of the stream shows only when everything before it has been read. */
export class ByteReader {
  readonly #iterator: AsyncIterator<Uint8Array>;
  /** Bytes received and not handed out; a view of the source's chunk, or a copy of our own. */
  #pending: Uint8Array = NOTHING;
  #ended = false;
  #failure: { readonly error: unknown } | undefined;
  #received = 0;
  /** Whether the source has been asked for a chunk and hasn't answered. */
  #pulling = false;

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#iterator = chunks[Symbol.asyncIterator]();
  }

  /** Bytes taken from the source. */
  get received(): number {
    return this.#received;
  }

  /** Bytes handed out. */
  get position(): number {
    return this.#received - this.#pending.length;
  }

  /** The next `count` bytes, fewer before an end or an error, without taking them. */
  async peek(count: number): Promise<Uint8Array> {
    while (this.#pending.length < count) {
      // Asking for the next chunk ends the life of this one.
      const kept = this.#pending.slice();
      const chunk = await this.#pull();
      if (chunk === undefined) {
        this.#pending = kept;
        break;
      }
      this.#pending = concatenate([kept, chunk]);
    }
    return this.#pending.subarray(0, count);
  }

  /**
   * The next `count` bytes if they and `behind` more have been received, else nothing is taken. They are valid until more than
   * those are taken.
   */
  readNow(count: number, behind: number): Uint8Array | undefined {
    const pending = this.#pending;
    if (pending.length < count + behind) return undefined;
    this.#pending = pending.subarray(count);
    return pending.subarray(0, count);
  }

  /** The next `count` bytes as a copy; fewer only at the end. */
  async read(count: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(count);
    let at = 0;
    while (at < count) {
      const chunk = await this.next(count - at);
      if (chunk === undefined) return bytes.subarray(0, at);
      bytes.set(chunk, at);
      at += chunk.length;
    }
    return bytes;
  }

  /** The next chunk, `most` bytes of it, valid until the next call; `undefined` at the end. */
  async next(most = Number.POSITIVE_INFINITY): Promise<Uint8Array | undefined> {
    const chunk = this.#pending.length > 0 ? this.#pending : await this.#pull();
    if (chunk === undefined) {
      if (this.#failure) throw this.#failure.error;
      return undefined;
    }
    const taken = chunk.length > most ? chunk.subarray(0, most) : chunk;
    this.#pending = chunk.subarray(taken.length);
    return taken;
  }

  /** Everything that is left. */
  async *chunks(): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      for (let chunk = await this.next(); chunk !== undefined; chunk = await this.next()) yield chunk;
    } finally {
      await this.close();
    }
  }

  async close(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    this.#pending = NOTHING;
    const returned = this.#iterator.return?.();
    // While a chunk is awaited, which may never come, the iterator can't return; it will when it can.
    if (this.#pulling) returned?.catch(() => {});
    else await returned;
  }

  async #pull(): Promise<Uint8Array | undefined> {
    this.#pending = NOTHING;
    while (!this.#ended && !this.#failure) {
      try {
        this.#pulling = true;
        const { done, value } = await this.#iterator.next();
        if (done) this.#ended = true;
        else if (value.length > 0) {
          this.#received += value.length;
          return value;
        }
      } catch (error) {
        this.#failure = { error };
      } finally {
        this.#pulling = false;
      }
    }
    return undefined;
  }
}
