/**
 * Runs around every test file. Files share a process and its modules, which saves loading them again for each: so a file has to
 * leave the process as it found it. One that doesn't fails, instead of the one that comes after it.
 */
import { afterAll, beforeAll, expect } from "vitest";
import "./same-bytes.ts";

/** What a test could change for those that follow. */
const state = () => ({
  env: { ...process.env },
  argv: [...process.argv],
  exitCode: process.exitCode,
  folder: process.cwd(),
  globals: Object.getOwnPropertyNames(globalThis).sort(),
  console: { ...console },
  write: [process.stdout.write, process.stderr.write],
  listeners: process.eventNames().map((name) => [name, process.listenerCount(name)]),
});

let before: ReturnType<typeof state>;

beforeAll(() => {
  before = state();
});

afterAll(() => {
  expect(state()).toEqual(before);
});
