/** Does whatever can't be imported say where, what was found and what to give instead? */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { MachineError } from "../../../src/engine/errors.ts";
import { inputFiles } from "../../../src/machine/import/files.node.ts";
import { type InputFile, importMachine } from "../../../src/machine/import/index.ts";
import { DRCACHESIM, dataFile, HWLOC, LSCPU, sysfsFiles, textFile } from "./fixtures.ts";

function messageOf(...files: InputFile[]): string {
  try {
    importMachine(files);
  } catch (error) {
    if (error instanceof MachineError) return error.message;
    throw error;
  }
  throw new Error("no error");
}

const tree = (text: string) => textFile("board.dts", `/dts-v1/;\n${text}`);

describe("errors", () => {
  it.each<[string, InputFile, string | RegExp]>([
    [
      "an empty file",
      textFile("x", ""),
      "x: nothing that can be imported; found an empty file; expected a device tree",
    ],
    ["anything else", textFile("x", "hello"), 'found a file that begins with "hello"'],
    ["a description of ours", textFile("x.yaml", "name: a\ncores: 1\ncaches: {}\n"), "a description of ours already"],
    ["a libvirt domain", textFile("x.xml", "<domain type='kvm'/>"), "`setway lint` reads a guest's <domain>"],
    ["ACPI source", dataFile("pptt.asl"), "expected the table that `iasl` makes of it"],
    ["a compressed file", { path: "x.gz", bytes: new Uint8Array(gzipSync("x")), named: true }, "x.gz: compressed"],
    ["JSON of others", textFile("x.json", "{}"), "nothing that can be imported"],
    ["broken JSON", textFile("x.json", '{"lscpu": ['), "x.json: not valid JSON"],
    [
      "XML that ends early",
      textFile("x.xml", HWLOC.slice(0, 900)),
      /x\.xml, line \d+, column \d+: not well-formed XML/,
    ],
    [
      "XML with entities",
      textFile("x.xml", '<!DOCTYPE a [<!ENTITY b "c">]><topology>&b;</topology>'),
      "undefined entity",
    ],
    ["a topology without processors", textFile("x.xml", "<topology/>"), 'expected object type="PU"'],
    ["lscpu without processors", textFile("x.json", '{"lscpu": []}'), "x.json, CPU(s): not what lscpu prints"],
    [
      "a bad size of lscpu",
      textFile("x.json", LSCPU.replace("8 MiB", "many")),
      "expected a size such as 64 KiB (2 instances)",
    ],
    [
      "source to preprocess",
      textFile("x.dts", '#include "soc.dtsi"\n/ { };'),
      "after `cpp`, or a blob from `dtc -O dtb`",
    ],
    ["an include after the version", tree('#include "soc.dtsi"'), "board.dts, line 2, column 1: not preprocessed"],
    [
      "a macro",
      tree("/ { a = <GIC_SPI>; };"),
      /line 2, column 10: a macro's name where a number should be; found GIC_SPI/,
    ],
    ["a missing semicolon", tree("/ { a = <1> };"), 'not device tree source; found "};"; expected `;`'],
    [
      "a label that isn't there",
      tree("/ { a = <&b>; };"),
      "line 2, column 10: a reference to a node that isn't there; found &b",
    ],
    ["division by zero", tree("/ { a = <(1 / 0)>; };"), "division by zero"],
    ["an overlay", tree("/plugin/;\n/ { };"), "an overlay is no whole tree"],
    [
      "a tree without processors",
      tree("/ { soc { }; };"),
      "the device tree has no processors; found soc; expected a node /cpus",
    ],
    [
      "a blob cut off",
      { ...dataFile("guest.dtb"), bytes: dataFile("guest.dtb").bytes.subarray(0, 300) },
      "byte 4: the blob is cut off",
    ],
    [
      "a table cut off",
      { ...dataFile("pptt.aml"), bytes: dataFile("pptt.aml").bytes.subarray(0, 300) },
      "the table PPTT lies outside the file",
    ],
    [
      "tables without processors",
      dataFile("iort.aml"),
      "the tables name no processors; found IORT; expected PPTT, or APIC",
    ],
    [
      "an unknown key of drcachesim",
      textFile("x.conf", DRCACHESIM.replace("assoc 16", "asoc 16")),
      "did you mean assoc?",
    ],
    [
      "a parent that isn't there",
      textFile("x.conf", DRCACHESIM.replace(/parent LLC/g, "parent LLD")),
      /x\.conf, line \d+: a parent that isn't there; found LLD; .* did you mean LLC\?/,
    ],
    [
      "parents in a circle",
      textFile("x.conf", DRCACHESIM.replace("parent memory", "parent P0L2")),
      "parents go round in a circle",
    ],
    ["a core without caches", textFile("x.conf", DRCACHESIM.replace("num_cores 2", "num_cores 3")), "found core 2"],
  ])("%s", (_, file, expected) => {
    const message = messageOf(file);
    if (typeof expected === "string") expect(message).toContain(expected);
    else expect(message).toMatch(expected);
  });

  it("two descriptions of one machine", () => {
    expect(messageOf(dataFile("guest.dtb"), dataFile("numa-server.dtb"))).toContain("two descriptions of a machine");
    expect(messageOf(dataFile("pptt.aml"), dataFile("pptt.aml"))).toContain("found 2 times PPTT");
    expect(messageOf(textFile("a", LSCPU), textFile("b", HWLOC))).toContain("two descriptions of a machine");
  });

  it("sysfs with something else in a file", () => {
    const files = sysfsFiles(1, 1, 1).map((file) =>
      file.path.endsWith("index2/size") ? { ...file, bytes: new TextEncoder().encode("big") } : file,
    );
    expect(messageOf(...files)).toContain('cpu0/cache/index2/size: not what sysfs has there; found "big"');
  });

  it("too many cores", () => {
    expect(messageOf(...sysfsFiles(1, 600, 1))).toContain("too many cores; found 600; expected 512 at most");
  });

  it("caches and processor groups that lead in a circle", () => {
    const circle = tree(`/ { cpus { #address-cells = <1>; #size-cells = <0>;
      cpu@0 { device_type = "cpu"; reg = <0>; next-level-cache = <&a>; };
      a: a { next-level-cache = <&b>; }; b: b { next-level-cache = <&a>; }; }; };`);
    expect(messageOf(circle)).toContain("/cpus/a: caches go round in a circle");
    const table = dataFile("pptt.aml").bytes.slice();
    // The first package (after four caches of 24 bytes) becomes its own parent.
    new DataView(table.buffer).setUint32(36 + 4 * 24 + 8, 36 + 4 * 24, true);
    expect(messageOf({ path: "PPTT", bytes: table, named: true })).toContain("processor groups go round in a circle");
  });
});

describe("files and folders", () => {
  const noInput = async () => new Uint8Array();

  it("a file that isn't there, and a folder with nothing in it", async () => {
    await expect(inputFiles(["/no/such/file"], noInput)).rejects.toThrow(/\/no\/such\/file: can't read; found ENOENT/);
    const folder = mkdtempSync(join(tmpdir(), "setway-import-"));
    try {
      mkdirSync(join(folder, "a"));
      symlinkSync("..", join(folder, "a/up"));
      writeFileSync(join(folder, "a/notes.txt"), "hello");
      const files = await inputFiles([folder], noInput);
      expect(files.map(({ path }) => path)).toEqual([join(folder, "a/notes.txt")]);
      expect(messageOf(...files)).toContain("nothing that can be imported; found none of the files is known");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("gzip, and standard input", async () => {
    const input = async () => new Uint8Array(gzipSync(dataFile("guest.dtb").bytes));
    const [file] = await inputFiles(["-"], input);
    expect(importMachine([file!]).format).toBe("device tree blob");
    const broken = async () => new Uint8Array([0x1f, 0x8b, 1, 2, 3]);
    await expect(inputFiles(["-"], broken)).rejects.toThrow("standard input: can't decompress");
  });
});
