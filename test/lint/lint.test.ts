/** Does lint name what goes wrong with caches, in libvirt's words and in QEMU's, and nothing else? */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { MachineError } from "../../src/engine/errors.ts";
import { type LintResult, lint } from "../../src/lint/index.ts";
import { setway } from "../cli/capture.ts";
import { dataFile } from "../machine/import/fixtures.ts";
import { mutant, randomFrom } from "../mutation.ts";
import { COMMANDS, DOMAINS } from "./guests.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);
const linted = (text: string, fwb = false): LintResult => lint("guest", bytesOf(text), { fwb });
const checks = ({ findings }: LintResult) => findings.map(({ check }) => check);

describe("libvirt domains", () => {
  it.each(DOMAINS)("%s", (_, text, expected) => {
    const result = linted(text);
    expect(result.kind).toBe("libvirt domain");
    expect(checks(result)).toEqual(expected);
  });

  it("say the line and the remedy", () => {
    const [, text] = DOMAINS.find(([name]) => name === "video qxl")!;
    const [finding] = linted(text).findings;
    expect(text.split("\n")[finding!.line! - 1]).toContain("<model type='qxl'");
    expect(finding!.found).toBe("the display qxl-vga");
    expect(finding!.remedy).toContain("virtio-gpu-pci");
  });
});

describe("QEMU command lines", () => {
  it.each(COMMANDS)("%s", (_, text, expected) => {
    const result = linted(text);
    expect(result.kind).toBe("QEMU command line");
    expect(checks(result)).toEqual(expected);
  });

  it("in a script, over several lines, quoted and commented", () => {
    const script = `#!/bin/sh
# qemu-system-aarch64 -device VGA: no, not this one
ulimit -l unlimited; exec /usr/bin/qemu-system-aarch64 \\
  -machine virt,accel=kvm \\
  -append "console=ttyAMA0 video=VGA" \\
  -device 'VGA' # a picture
echo -device cirrus-vga
`;
    const { findings } = linted(script);
    expect(findings.map(({ check, line }) => [check, line])).toEqual([["emulated-vga", 6]]);
  });

  it("that grow without bounds, and virt-install's, are refused", () => {
    const doubling = Array.from({ length: 40 }, () => 'A="$A$A"').join("\n");
    expect(() => linted(`A=xy\n${doubling}\nqemu-system-aarch64 -device $A`)).toThrow(/grow without bounds/);
    expect(() => linted("virt-install --name x --virt-type kvm --machine virt --video vga")).toThrow(
      /--print-xml \| setway lint -/,
    );
  });

  it("as /proc has them", () => {
    expect(checks(linted("qemu-system-aarch64\0-M\0virt\0-accel\0kvm\0-device\0VGA\0"))).toEqual(["emulated-vga"]);
  });
});

describe("FEAT_S2FWB", () => {
  it("takes away what forced write-back mends, and leaves what it makes worse", () => {
    for (const [, text, expected] of [...DOMAINS, ...COMMANDS]) {
      const mended = ["emulated-vga", "scan-out-board", "shared-memory-bar", "own-device-tree"];
      expect(checks(linted(text, true))).toEqual(expected.filter((check) => !mended.includes(check)));
    }
  });
});

describe("guests' device trees", () => {
  it.each(["guest.dtb", "guest.dts"])("%s: an emulated device that isn't described as coherent", (name) => {
    const { findings } = lint(name, dataFile(name).bytes, { fwb: false });
    expect(findings.map(({ check, found }) => [check, found])).toEqual([
      ["not-described-coherent", "/virtio_mmio@a000000 (virtio,mmio) without dma-coherent"],
    ]);
  });

  it("a board's tree has no emulated devices", () => {
    expect(lint("board", dataFile("numa-server.dtb").bytes, { fwb: false }).findings).toEqual([]);
  });
});

describe("the command", () => {
  const folder = mkdtempSync(join(tmpdir(), "setway-lint-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  const file = (name: string, content: string | Uint8Array) => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };

  it("exits 0 where there is nothing to warn of, 1 with warnings, 2 where it can't read", async () => {
    const good = await setway(["lint", file("good.xml", DOMAINS[0]![1])]);
    expect(good).toEqual({ code: 0, stdout: expect.stringContaining("nothing to warn of"), stderr: "" });
    const note = await setway(["lint", file("note.sh", "qemu-system-aarch64 -M virt -enable-kvm -cpu host")]);
    expect(note).toMatchObject({ code: 0, stdout: expect.stringContaining(": note: host-cpu: ") });
    const bad = await setway(["lint", file("bad.sh", "qemu-system-aarch64 -M virt -enable-kvm -vga std")]);
    expect(bad.code).toBe(1);
    expect(bad.stdout).toContain("bad.sh:1: warning: emulated-vga: the display VGA\n  why     ");
    expect(bad.stdout).toContain("\n  remedy  virtio-gpu-pci");
    expect((await setway(["lint", join(folder, "bad.sh"), "--fwb"])).code).toBe(0);
    for (const path of [join(folder, "none"), file("other", "hello\n"), file("empty", "")]) {
      const { code, stdout, stderr } = await setway(["lint", path]);
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
      expect(stderr).toMatch(/^error: .*(can't read|no QEMU command line|nothing to lint)/);
    }
  });

  it("has JSON", async () => {
    const { code, stdout } = await setway(["lint", file("j.xml", DOMAINS[1]![1]), "--json"]);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      kind: "libvirt domain",
      guest: { architecture: "arm", accelerator: "kvm", machine: "virt-9.0", cpu: "cortex-a57" },
      warnings: 1,
      notes: 0,
      findings: [{ check: "emulated-vga", severity: "warning", line: expect.any(Number) }],
    });
  });

  it("looks into the device tree that a guest is given, where it is at hand", async () => {
    file("guest.dtb", dataFile("guest.dtb").bytes);
    const { code, stdout } = await setway([
      "lint",
      file("own.sh", "qemu-system-aarch64 -M virt -enable-kvm -dtb guest.dtb"),
    ]);
    expect(code).toBe(1);
    expect(stdout).toContain("guest.dtb: warning: not-described-coherent: /virtio_mmio@a000000");
    expect(stdout).not.toContain("own-device-tree");
  });
});

describe("mutants", () => {
  const RUNS = process.env.SETWAY_FULL === "1" ? 100_000 : 300;
  const SEED = Number(process.env.SETWAY_SEED ?? 1);

  it.each([
    ["libvirt", DOMAINS],
    ["QEMU", COMMANDS],
  ] as const)("of %s definitions are linted or refused", (name, guests) => {
    for (let run = 0; run < RUNS; run++) {
      const seed = SEED * 1_000_003 + run;
      const random = randomFrom(seed);
      const [, text] = guests[run % guests.length]!;
      const start = performance.now();
      try {
        for (const { found } of lint("guest", mutant(bytesOf(text), random), { fwb: false }).findings) {
          expect(found).toMatch(/^[\x20-\x7e]{1,210}$/);
        }
      } catch (error) {
        if (!(error instanceof MachineError)) throw new Error(`${name}, seed ${seed}`, { cause: error });
        expect(error.message.length).toBeLessThan(1000);
      }
      expect(performance.now() - start, `${name}, seed ${seed}`).toBeLessThan(5000);
    }
  });
});
