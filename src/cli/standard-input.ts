/** Standard input as a whole, bounded. */
import { SetwayError } from "../engine/errors.ts";

const MAX_BYTES = 256 * 2 ** 20;

export async function standardInputBytes(): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of process.stdin) {
    chunks.push(chunk as Uint8Array);
    length += (chunk as Uint8Array).length;
    if (length > MAX_BYTES) {
      throw new SetwayError("usage", "too much on standard input", { found: `more than ${MAX_BYTES} bytes` });
    }
  }
  return Buffer.concat(chunks);
}
