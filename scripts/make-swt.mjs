/**
 * Makes `traces/zimage-boot-l3.swt`, the trace that ships with the package, from the recording in `../shared/traces`;
 * to be run in the repository's root, after `npm run build`. What it says of the recording is in that directory's README.
 */
import { convert } from "../dist/trace/convert.js";
import { createTraceFile, openTraceFile } from "../dist/trace/open.node.js";

const [input = "../shared/traces/zimage-boot-l3.raw64.xz", output = "traces/zimage-boot-l3.swt"] =
  process.argv.slice(2);
const LARGEST_BYTES = 3_500_000;

const description = {
  provenance: { maintenance: true, control: true, dma: false, ownership: false },
  addresses: "physical",
  initialSctlr: 0,
  requesters: 1,
  records: 2_426_628,
  source:
    "Debian 6.1.0-50-armmp zImage on one Cortex-A15 under QEMU 7.2, 256 MiB at 0x40000000, from the decompressor's entry " +
    "to the early kernel with its MMU on",
  stripping: {
    sets: 4096,
    lineBytes: 64,
    note:
      "Repeated accesses that hit in a direct-mapped filter of this many sets, one for data and one for fetches, were " +
      "dropped; the first store to a line since it entered was kept. The filter is emptied at every maintenance or control " +
      "operation, and accesses with caches off are all kept. Exact for misses of LRU caches with at least as many sets.",
  },
};

const result = await convert(await openTraceFile(input), await createTraceFile(output, description));
if (result.bytesWritten > LARGEST_BYTES) throw new Error(`${result.bytesWritten} bytes are more than ${LARGEST_BYTES}`);
console.log(`${output}: ${result.records} records, ${result.bytesWritten} bytes`);
