/**
 * Does a billion records stream through writer and reader in bounded memory? Long, so only with SETWAY_FULL=1; formats that
 * are slow to write get a tenth of that. Each is a process of its own, whose peak is what is judged. (Needs the build.)
 */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";

const LARGEST_RESIDENT_BYTES = 300e6;
const SCRIPT = fileURLToPath(new URL("../../scripts/long-trace.mjs", import.meta.url));

const asked = process.env.SETWAY_FULL === "1";

describe.skipIf(!asked)("in less than 300 MB", () => {
  test.each([
    ["raw64", 1e9],
    ["swt", 1e9],
    ["din", 1e8],
    ["lackey", 1e8],
    ["raw64.gz", 1e8],
  ])("%s, %d records", { timeout: 1_800_000 }, async (format, records) => {
    const { stdout } = await promisify(execFile)(process.execPath, [SCRIPT, format, String(records)]);
    const found = JSON.parse(stdout) as { records: number; residentBytes: number };
    expect(found.records).toBe(records);
    expect(found.residentBytes).toBeGreaterThan(10e6);
    expect(found.residentBytes).toBeLessThan(LARGEST_RESIDENT_BYTES);
  });
});
