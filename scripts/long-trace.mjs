/**
 * Streams a long made-up trace through writer and reader of one format, and prints as JSON how many records came out, how
 * long that took and the most memory that the process ever held. Run in the repository's root, after `npm run build`:
 * `node scripts/long-trace.mjs FORMAT RECORDS`. `test/full/bounded-memory.test.ts` judges it.
 */
import { pathToFileURL } from "node:url";
import { bytePipe } from "../dist/trace/bytes.js";
import { nodeCodecs } from "../dist/trace/codec.node.js";
import { createTrace } from "../dist/trace/create.js";
import { openTrace } from "../dist/trace/open.js";
import { BATCH_ENTRIES, RAW_PROVENANCE } from "../dist/trace/source.js";

export const DESCRIPTION = {
  provenance: RAW_PROVENANCE,
  addresses: "physical",
  initialSctlr: undefined,
  requesters: 1,
  records: undefined,
  source: undefined,
  stripping: undefined,
};

/** Reads a trace to its end; how many entries it had. */
export async function drain(source) {
  let entries = 0;
  for await (const batch of source.batches()) entries += batch.length / 2;
  return entries;
}

/** A trace as hard on memory as any: addresses that walk and jump, in fresh batches. */
async function* synthetic(records) {
  const words = new Uint32Array(2 * BATCH_ENTRIES);
  let state = 1;
  for (let made = 0; made < records; ) {
    const count = Math.min(BATCH_ENTRIES, records - made);
    for (let i = 0; i < count; i++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      words[2 * i] = (made + i) % 8 === 0 ? state : (0x40000000 + 8 * (made + i)) >>> 0;
      words[2 * i + 1] = (state >>> 30 === 0 ? 1 : 0) << 16;
    }
    made += count;
    yield words.subarray(0, 2 * count);
  }
}

async function streamLong(format, records) {
  const begin = performance.now();
  const pipe = bytePipe(`pipe.${format}`);
  const sink = createTrace(pipe.sink, DESCRIPTION, nodeCodecs);
  const write = (async () => {
    for await (const batch of synthetic(records)) await sink.write(batch);
    await sink.close();
  })();
  const came = await drain(await openTrace(pipe.source, nodeCodecs));
  await write;
  const seconds = (performance.now() - begin) / 1000;
  return { format, records: came, seconds, residentBytes: process.resourceUsage().maxRSS * 1024 };
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [format, records] = process.argv.slice(2);
  console.log(JSON.stringify(await streamLong(format, Number(records))));
}
