// How the tests run: two workers at most, generous time for the long suites, and the totals in build/vitest.json.
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

const full = process.env.SETWAY_FULL === "1";

/** Longest first. In a bare clone vitest knows nothing but the sizes of files, and would end with one of these, alone. */
const LONGEST = [
  "properties/engines-agree",
  "scenario/stories",
  "scenario/decompressor",
  "properties/servers",
  "cli/formats",
  "cases/cases",
  "shard/shards-agree",
  "properties/invariants",
  "against/yardstick",
  "web/explorer",
  "properties/possible-hazards",
  "hypervisor/trace",
  "cli/shards",
  "docs/examples",
];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => {
      const found = LONGEST.findIndex((name) => moduleId.includes(name));
      return found < 0 ? LONGEST.length : found;
    };
    return (await super.sort(files)).sort((a, b) => place(a) - place(b));
  }
}

export default defineConfig({
  // package.json leads to dist/; tests are about src/.
  resolve: { alias: { "#platform": fileURLToPath(new URL("src/trace/platform.node.ts", import.meta.url)) } },
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: full ? 1_800_000 : 60_000,
    // Hooks that play whole boots took longer than two minutes where others kept the machine busy.
    hookTimeout: 600_000,
    maxWorkers: 2,
    // Two processes for all files: loading setway anew for each of them would take a tenth of the time.
    isolate: false,
    setupFiles: ["test/leaves-no-trace.ts"],
    restoreMocks: true,
    unstubGlobals: true,
    sequence: { sequencer: LongestFirst },
    reporters: ["default", "json"],
    outputFile: { json: "build/vitest.json" },
  },
});
