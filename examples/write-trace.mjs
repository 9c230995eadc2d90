// Writes a trace by hand and reads it back, in memory: the same in Node and in a page.
import { dc, load, records, store } from "setway";
import { bytesInto, createTrace, openTrace } from "setway/trace";

const file = bytesInto("small.swt");
const sink = await createTrace(file, { source: "written by hand" });
await sink.write(records(store(0, 0x1000), dc.civac(0, 0x1000), load(0, 0x1000)));
await sink.close();
console.log((await openTrace(file.bytes())).header.source);
