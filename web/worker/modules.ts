/** What a story in the page can import: the package, and the files inside it that setway's own stories use. */
import * as systemRegisters from "../../src/engine/system-registers.ts";
import * as descriptors from "../../src/hypervisor/descriptors.ts";
import * as setway from "../../src/index.ts";
import * as setwayRoutines from "../../src/machine/setway.ts";
import * as boot from "../../src/scenario/decompressor/boot.ts";
import * as stream from "../../src/scenario/decompressor/stream.ts";
import * as replay from "../../src/scenario/replay.ts";
import * as entry from "../../src/trace/entry.ts";

export const MODULES: Readonly<Record<string, object>> = {
  setway,
  "setway/src/engine/system-registers.ts": systemRegisters,
  "setway/src/hypervisor/descriptors.ts": descriptors,
  "setway/src/machine/setway.ts": setwayRoutines,
  "setway/src/scenario/decompressor/boot.ts": boot,
  "setway/src/scenario/decompressor/stream.ts": stream,
  "setway/src/scenario/replay.ts": replay,
  "setway/src/trace/entry.ts": entry,
};
