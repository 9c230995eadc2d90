// How the tests run: two workers at most, generous time for the long suites, and the totals in build/vitest.json.
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const full = process.env.SETWAY_FULL === "1";

export default defineConfig({
  // package.json leads to dist/; tests are about src/.
  resolve: { alias: { "#platform": fileURLToPath(new URL("src/trace/platform.node.ts", import.meta.url)) } },
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: full ? 1_800_000 : 60_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
    reporters: ["default", "json"],
    outputFile: { json: "build/vitest.json" },
  },
});
