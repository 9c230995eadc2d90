/**
 * Measures the trace formats: how fast each is read, as a ratio to bare records, and that a long trace (a billion records
 * by default) streams through writer and reader of a format in bounded memory. Run in the repository's root, after
 * `npm run build`: `node scripts/measure-traces.mjs [records of the long trace [formats, with commas]]`. Speeds are medians
 * of five runs over files in a temporary directory.
 */
import { execFileSync } from "node:child_process";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { convert } from "../dist/trace/convert.js";
import { createTraceFile, openTraceFile } from "../dist/trace/open.node.js";
import { DESCRIPTION, drain } from "./long-trace.mjs";

const RUNS = 5;
const longRecords = Number(process.argv[2] ?? 1e9);

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

await measureSpeeds();
console.log(`\n${longRecords} records through writer and reader:`);
const formats = (process.argv[3] ?? "raw64,swt,din,lackey,raw64.gz").split(",");
for (const format of formats) {
  // A process each, since the most that one has ever held is what is asked.
  const script = fileURLToPath(new URL("long-trace.mjs", import.meta.url));
  const answer = execFileSync(process.execPath, [script, format, String(longRecords)], { encoding: "utf8" });
  const { records, seconds, residentBytes } = JSON.parse(answer);
  console.log(
    `${format.padEnd(10)} ${(records / seconds / 1e6).toFixed(1).padStart(8)} million/s  ${(residentBytes / 1e6).toFixed(0).padStart(5)} MB resident at most`,
  );
}
