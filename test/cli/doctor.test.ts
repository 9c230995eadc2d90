/** Does `setway doctor` say what is there, in words and for programs, and notice what isn't? */
import { availableParallelism } from "node:os";
import { describe, expect, it } from "vitest";
import { setway } from "./capture.ts";

interface Finding {
  readonly name: string;
  readonly verdict: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

const examined = async (): Promise<{ ok: boolean; findings: readonly Finding[] }> =>
  JSON.parse((await setway(["doctor", "--json"])).stdout);

describe("doctor", () => {
  it("finds everything that the tests themselves need", async () => {
    const { code, stdout, stderr } = await setway(["doctor"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain(process.versions.node);
    expect(stdout).toContain("it found the stale read");
    expect(stdout).toContain("zimage-boot-l3.swt");
    expect(stdout).toMatch(/setway works here\n$/);
    expect(stdout.split("\n").filter((line) => line.length > 100)).toEqual([]);
  });

  it("says the same to programs", async () => {
    const { ok, findings } = await examined();
    expect(ok).toBe(true);
    const facts = new Map(findings.map((finding) => [finding.name, finding.facts]));
    expect(facts.get("Node")).toMatchObject({ node: process.versions.node, architecture: process.arch });
    expect(facts.get("cores")).toMatchObject({ available: availableParallelism() });
    expect(facts.get("kernel")).toMatchObject({ hazards: expect.arrayContaining(["stale-read"]) });
    expect(facts.get("wasm SIMD")).toEqual({ simd: true });
    expect(facts.get("workers")).toMatchObject({ threads: true });
    expect(facts.get("terminal")).toMatchObject({ stdoutIsTerminal: false, color: false });
    expect(facts.get("traces, shipped")).toMatchObject({ traces: ["zimage-boot-l3.swt"] });
  });

  it("is exit 1 where WebAssembly doesn't work, and goes on to the end", async () => {
    const { Instance } = WebAssembly;
    try {
      (WebAssembly as { Instance: unknown }).Instance = class {
        constructor() {
          throw new Error("no WebAssembly today");
        }
      };
      const { code, stdout } = await setway(["doctor"]);
      expect(code).toBe(1);
      expect(stdout).toContain("no WebAssembly today");
      expect(stdout).toMatch(/1 of \d+ would not work\n$/);
    } finally {
      (WebAssembly as { Instance: unknown }).Instance = Instance;
    }
  });
});
