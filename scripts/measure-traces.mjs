/**
 * Measures the trace formats: how fast each is read, as a ratio to bare records, and that a long trace (a billion records
 * by default) streams through writer and reader of a format in bounded memory. Run in the repository's root, after
 * `npm run build`: `node scripts/measure-traces.mjs [records of the long trace [formats, with commas]]`. Speeds are medians
 * of five runs over files in a temporary directory.
 */
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bytePipe } from "../dist/trace/bytes.js";
import { nodeCodecs } from "../dist/trace/codec.node.js";
import { convert } from "../dist/trace/convert.js";
import { createTrace } from "../dist/trace/create.js";
import { openTrace } from "../dist/trace/open.js";
import { createTraceFile, openTraceFile } from "../dist/trace/open.node.js";
import { BATCH_ENTRIES, RAW_PROVENANCE } from "../dist/trace/source.js";

const RUNS = 5;
const longRecords = Number(process.argv[2] ?? 1e9);
const DESCRIPTION = {
  provenance: RAW_PROVENANCE,
  addresses: "physical",
  initialSctlr: undefined,
  requesters: 1,
  records: undefined,
  source: undefined,
  stripping: undefined,
};

async function drain(source, onBatch = () => {}) {
  let entries = 0;
  for await (const batch of source.batches()) {
    entries += batch.length / 2;
    onBatch();
  }
  return entries;
}

async function timeFile(path) {
  const seconds = [];
  let entries = 0;
  for (let run = 0; run < RUNS; run++) {
    const begin = performance.now();
    entries = await drain(await openTraceFile(path));
    seconds.push((performance.now() - begin) / 1000);
  }
  return { entries, seconds: seconds.sort((a, b) => a - b)[RUNS >> 1] };
}

async function measureSpeeds() {
  const directory = await mkdtemp(join(tmpdir(), "setway-traces-"));
  try {
    const shipped = "traces/zimage-boot-l3.swt";
    const made = ["raw64", "raw64.gz", "swt", "din", "lackey"].map((extension) =>
      join(directory, `trace.${extension}`),
    );
    for (const path of made)
      await convert(await openTraceFile(shipped), await createTraceFile(path, DESCRIPTION, { skip: true }));
    const paths = [...made, "../shared/traces/zimage-boot-l3.raw64.xz"];
    let bare = 0;
    console.log("format         bytes   million records/s   ratio to raw64");
    for (const path of paths) {
      const size = await stat(path).then(
        (status) => status.size,
        () => 0,
      );
      if (size === 0) continue;
      const { entries, seconds } = await timeFile(path);
      const speed = entries / seconds / 1e6;
      bare ||= speed;
      const name = path.slice(path.indexOf(".", path.lastIndexOf("/")) + 1);
      console.log(
        `${name.padEnd(10)} ${String(size).padStart(9)} ${speed.toFixed(1).padStart(12)} ${(speed / bare).toFixed(3).padStart(18)}`,
      );
    }
  } finally {
    await rm(directory, { recursive: true });
  }
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

async function streamLong(format) {
  const begin = performance.now();
  let largest = 0;
  const watch = () => {
    largest = Math.max(largest, process.memoryUsage.rss());
  };
  const pipe = bytePipe(`pipe.${format}`);
  const sink = createTrace(pipe.sink, DESCRIPTION, nodeCodecs);
  const write = (async () => {
    for await (const batch of synthetic(longRecords)) await sink.write(batch);
    await sink.close();
  })();
  const entries = await drain(await openTrace(pipe.source, nodeCodecs), watch);
  await write;
  if (entries !== longRecords) throw new Error(`${format}: ${entries} records came out`);
  const seconds = (performance.now() - begin) / 1000;
  console.log(
    `${format.padEnd(10)} ${(entries / seconds / 1e6).toFixed(1).padStart(8)} million/s  ${(largest / 1e6).toFixed(0).padStart(5)} MB resident at most`,
  );
}

await measureSpeeds();
console.log(`\n${longRecords} records through writer and reader:`);
const formats = (process.argv[3] ?? "raw64,swt,din,lackey,raw64.gz").split(",");
for (const format of formats) await streamLong(format);
