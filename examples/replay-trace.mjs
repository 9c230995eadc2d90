// Plays a recorded trace, here the boot of a 32-bit kernel, and counts what reached each kind of cache.
import { createKernel } from "setway";
import { loadMachine } from "setway/machine";
import { openTrace } from "setway/trace";

const shipped = new URL("traces/zimage-boot-l3.swt", import.meta.resolve("setway/package.json"));
const trace = await openTrace(process.argv[2] ?? shipped);
const engine = createKernel(loadMachine("seattle"), { data: false, provenance: trace.header.provenance });
for await (const batch of trace.batches()) engine.play(batch);
console.log(`${engine.records} records; core 0 was served by`, engine.counters().hits[0]);
