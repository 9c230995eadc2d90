/**
 * What reading and writing traces by name needs of where it runs. `#platform` (package.json `imports`) is
 * `platform.node.ts` in Node and what calls itself so, and `platform.web.ts` everywhere else.
 */
import type { ByteSink, ByteSource } from "./bytes.ts";
import type { Codecs } from "./codec.ts";

export interface Platform {
  readonly codecs: Codecs;
  /** The bytes at a place; those of each file of a directory. Throws `TraceError`. */
  sourcesAt(place: string | URL): Promise<ByteSource | readonly ByteSource[]>;
  /** A sink at a place. Throws `TraceError`, or a usage error where a platform can't write by name. */
  sinkAt(place: string | URL): Promise<ByteSink>;
}
