/** Question: are ChampSim's, gem5's and perf's traces recognised by what they hold, and read as what they say? */
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { TraceError } from "../../src/engine/errors.ts";
import { bytesFrom } from "../../src/trace/bytes.ts";
import { nodeCodecs } from "../../src/trace/codec.node.ts";
import { type OpenOptions, openTrace } from "../../src/trace/open.ts";
import { champsim, drmemtrace, footer, gem5, header, type Instruction, read } from "./foreign.ts";
import { attempt, attemptText, bytesOf, DESCRIPTION, entry, sameWords, trace, walked, write } from "./samples.ts";

const LOAD = 0;
const STORE = 1;
const FETCH = 2;
const WITH = 240;

async function formatOf(bytes: Uint8Array, name = "no.name") {
  const source = await openTrace(bytesFrom(bytes, name), nodeCodecs);
  await source.close();
  return `${source.header.format} ${source.header.compression} ${source.header.addresses}`;
}
async function failure(bytes: Uint8Array | string, options: OpenOptions = {}) {
  const { error } = await (typeof bytes === "string" ? attemptText(bytes, "t", options) : attempt(bytes, "t", options));
  expect(error).toBeInstanceOf(TraceError);
  return (error as Error).message;
}

describe("ChampSim", () => {
  const loop: Instruction[] = [
    { ip: 0x401000, loads: [0x7ffc_1234_5678, 0x601000] },
    { ip: 0x401004, stores: [0x601008] },
    { ip: 0x401008, branch: true },
  ];
  const records = trace(
    entry(FETCH, 0x401000),
    entry(LOAD, 0x7ffc_1234_5678),
    entry(LOAD, 0x601000),
    entry(FETCH, 0x401004),
    entry(STORE, 0x601008),
    entry(FETCH, 0x401008),
  );

  test("fetch, loads, stores of each instruction", async () => {
    for (const chunkBytes of [7, 64, 65536]) {
      const { words, error } = await attempt(champsim(loop), "t", {}, chunkBytes);
      expect(error).toBeUndefined();
      expect(words).toEqual(records);
    }
    expect(await formatOf(gzipSync(champsim(loop)))).toBe("champsim gz virtual");
  });

  test("is told from bare entries, which may look alike for a while", async () => {
    expect(await formatOf(bytesOf(walked(4096)))).toBe("raw64 none physical");
    expect(await formatOf(new Uint8Array(640))).toBe("raw64 none physical");
    // Loads by core 0 of small addresses: flags 0 or 1, and nothing but a name or an option can tell.
    const doubtful = champsim([{ ip: 0x401000, loads: [0x601000] }]);
    expect(await formatOf(doubtful)).toBe("raw64 none physical");
    expect(await formatOf(doubtful, "600.perlbench_s-210B.champsimtrace")).toBe("champsim none virtual");
    const { words } = await attempt(doubtful, "t", { format: "champsim" });
    expect(words).toEqual(trace(entry(FETCH, 0x401000), entry(LOAD, 0x601000)));
  });

  test("wrong bytes are named", async () => {
    const bytes = champsim(loop);
    expect(await failure(bytes.subarray(0, 150), { format: "champsim" })).toBe(
      "t, byte 128: truncated instruction; found 22 bytes; expected 64",
    );
    bytes[64 + 9] = 7;
    expect(await failure(bytes, { format: "champsim" })).toContain(
      "t, byte 73: not an instruction of ChampSim; found 7",
    );
    const kernel = champsim([...loop, { ip: 0xffff_ffff_8100_0000n, stores: [0xffff_8880_0000_1000n] }]);
    expect(await failure(kernel)).toBe(
      "t, byte 192: address too large; found ffffffff81000000 (instruction); expected at most 48 bits (ffffffffffff)",
    );
    const { words } = await attempt(kernel, "t", { mapAddresses: "pages" });
    // Pages in the order of their first touch: code, stack, data, and the kernel's two.
    expect(words.subarray(12)).toEqual(trace(entry(FETCH, 0x3000), entry(STORE, 0x4000)));
  });
});

describe("gem5", () => {
  const names = {
    0: "writebacks",
    5: "system.cpu0.inst",
    6: "system.cpu0.data",
    9: "system.cpu3.data",
    12: "board.cores11.core.mmu",
  };

  test("requests are accesses and maintenance, by the core in a requester's name", async () => {
    const bytes = gem5(
      [
        { command: 1, address: 0x8000_0000, size: 4, flags: 0x100, id: 5 },
        { command: 1, address: 0x8000_1000, id: 6 },
        { command: 4, address: 0x8000_2000, id: 9 },
        { command: 26, address: 0x8000_2040, id: 9 },
        { command: 34, address: 0x8000_2080, id: 12 },
        { command: 7, address: 0x10_0000_0040, size: 64, id: 0 },
        { command: 10, address: 0x40, id: 0 },
        { command: 42, address: 0x8000_2000, size: 64, id: 9 },
        { command: 44, address: 0x8000_2000, size: 64 },
        { command: 11, address: 0x8000_3000, id: 6 },
      ],
      names,
    );
    const records = trace(
      entry(FETCH, 0x8000_0000, 0),
      entry(LOAD, 0x8000_1000, 0),
      entry(STORE, 0x8000_2000, 3),
      entry(LOAD, 0x8000_2040, 3),
      entry(3, 0x8000_2080, 11),
      entry(STORE, 0x10_0000_0040, 0),
      entry(17, 0x8000_2000, 3),
      entry(18, 0x8000_2000, 0),
      entry(4, 0x8000_3000, 0),
    );
    for (const chunkBytes of [3, 65536]) {
      const { words, error } = await attempt(bytes, "t", {}, chunkBytes);
      expect(error).toBeUndefined();
      expect(words).toEqual(records);
    }
    expect(await formatOf(gzipSync(bytes), "system.monitor.trc.gz")).toBe("gem5 gz physical");
    const { words } = await attempt(gem5([{ command: 1, address: 0x1000, size: 64 }]), "t", { sizes: true });
    expect(words).toEqual(trace(entry(240, 64), entry(LOAD, 0x1000)));
  });

  test("long traces, whatever the chunks", async () => {
    const packets = Array.from({ length: 30_000 }, (_, i) => ({
      command: i % 4 === 0 ? 4 : 1,
      address: 0x1000 + 37 * i,
    }));
    const bytes = gem5(packets);
    const one = await attempt(bytes, "t", {}, bytes.length);
    const other = await attempt(bytes, "t", {}, 4099);
    expect(one.words.length).toBe(60_000);
    expect(sameWords(one.words, other.words)).toBe(true);
  });

  test("wrong bytes are named", async () => {
    const bytes = gem5([{ command: 1, address: 0x1000 }]);
    const packetAt = gem5([]).length;
    expect(await failure(bytes.subarray(0, bytes.length - 1))).toContain(`t, byte ${packetAt}: truncated message`);
    expect(await failure(bytes.subarray(0, 4))).toBe(
      "t, byte 0: truncated message; found 4 bytes; expected the header",
    );
    expect(await failure(gem5([{ command: 2, address: 0 }]))).toContain(
      `t, byte ${packetAt}: no request; found command 2`,
    );
    const skipped = await openTrace(bytesFrom(gem5([{ command: 2, address: 0 }])), nodeCodecs, { skip: true });
    for await (const _ of skipped.batches());
    expect(skipped.skipped).toBe(1);
    const other = bytes.slice();
    other[3] = 0;
    expect(await failure(other, { format: "gem5" })).toBe(
      "t, byte 0: not a gem5 trace; found 67 65 6d 00; expected 67 65 6d 35",
    );
    // An instruction trace has the same magic number; its header's field 4 is a flag.
    const instructions = [...new TextEncoder().encode("gem5"), 9, 10, 1, 65, 16, 0, 24, 1, 32, 1];
    expect(await failure(Uint8Array.from(instructions))).toContain("t, byte 4: a gem5 trace of instructions");
    expect(await failure(Uint8Array.from([...instructions.slice(0, 4), 3, 10, 1, 65]))).toContain(
      "not a header of packets",
    );
  });
});

describe("perf", () => {
  // The first as Linux's documentation shows it, with its fields -F cpu,event,addr,data_src.
  const script = `
[000]         cpu/mem-loads,ldlat=30/P:     7f0012345678        68100142 |OP LOAD|LVL L1 hit|SNP None|TLB L1 or L2 hit|LCK No
[002]                          memory:     aaaabbbb0040            20042 |OP STORE|LVL N/A|SNP N/A|TLB N/A|LCK N/A
[001]          cpu/mem-stores/P:                      0
[001]          cpu/mem-stores/P:           7f0012345680
`;
  // As `perf script -D` prints it; from the message of Linux's commit ffd3d18c20b8, and a store with its PA.
  const dump = `
0x5c8 [0x30]: PERF_RECORD_AUXTRACE size: 0x200000  offset: 0  ref: 0x1891ad0e  idx: 1  tid: 2227  cpu: 1
.
. ... ARM SPE data: size 2097152 bytes
.  00000000:  49 00                                           LD
.  00000002:  b2 c0 3b 29 0f 00 00 ff ff                      VA 0xffff00000f293bc0
.  0000000b:  b3 c0 eb 24 fb 00 00 00 80                      PA 0xfb24ebc0 ns=1
.  00000014:  9a 00 00                                        LAT 0 XLAT
.  00000017:  42 16                                           EV RETIRED L1D-ACCESS TLB-ACCESS
.  00000019:  b0 00 c4 15 08 00 00 ff ff                      PC 0xff00000815c400 el3 ns=1
.  00000022:  98 00 00                                        LAT 0 TOT
.  00000025:  71 36 6c 21 2c 09 00 00 00                      TS 39395093558
.  0000002e:  49 01                                           ST GP-REG
.  00000030:  b2 d0 40 d8 70 00 00 ff 00                      VA 0xff000070d840d0
.  00000039:  b3 d0 40 d8 01 00 00 00 80                      PA 0x1d840d0 ns=1 ch=0 pat=0
.  00000042:  71 36 6c 21 2c 09 00 00 00                      TS 39395093560
.  0000004b:  4a 01                                           B COND
.  0000004d:  71 36 6c 21 2c 09 00 00 00                      TS 39395093570
`;

  test("lines of perf script", async () => {
    const { words, error } = await attemptText(script, "t");
    expect(error).toBeUndefined();
    expect(words).toEqual(
      trace(entry(LOAD, 0x7f0012345678), entry(STORE, 0xaaaabbbb0040, 2), entry(STORE, 0x7f0012345680, 1)),
    );
    expect(await formatOf(new TextEncoder().encode(script))).toBe("perf none unknown");
  });

  test("packets of SPE: the physical address where there is one", async () => {
    const { words, error } = await attemptText(dump, "t");
    expect(error).toBeUndefined();
    expect(words).toEqual(trace(entry(LOAD, 0xfb24ebc0, 1), entry(STORE, 0x1d840d0, 1)));
    const virtual = dump.replace(/^.*PA 0x.*\n/gm, "");
    expect(await failure(virtual)).toContain("address too large; found ffff00000f293bc0");
    const mapped = await attemptText(virtual, "t", { mapAddresses: "low48" });
    expect(mapped.words).toEqual(trace(entry(LOAD, 0xf293bc0, 1), entry(STORE, 0x70d840d0, 1)));
    const mixed = dump.replace(/^.*PA 0x1d840d0.*\n/m, "");
    expect(await failure(mixed)).toContain("t, line 15, column 1: a sample without an address");
  });

  test("an event that says nothing of loads and stores, a line that is no sample", async () => {
    expect(await failure("[001] page-faults:   7fedfa096b70\n")).toBe(
      "t, line 1, column 1: neither a load nor a store; found page-faults; expected an event whose name has load or store, or the field data_src",
    );
    // By default perf prints the instruction's address and symbol.
    const instruction = "[000]  5678.123456:   1  mem-loads:  ffffffff817554ea elf_load+0x28a ([kernel.kallsyms])\n";
    expect(await failure(instruction, { format: "perf" })).toContain("t, line 1, column 1: not a sample");
    expect(await failure(`${script}what?\n`)).toContain('t, line 6, column 1: not a sample; found "what?"');
    const skipped = await attemptText(`${script}what?\n`, "t", { skip: true });
    expect(skipped.error).toBeUndefined();
  });
});

test("several files are one trace only where their format is cut by threads", async () => {
  const one = bytesFrom(drmemtrace([...header(1), read(0), footer]), "a");
  await expect(openTrace([one, bytesFrom(new Uint8Array(16), "b")], nodeCodecs)).rejects.toThrow(
    "b, byte 0: not a drmemtrace",
  );
  const raw = () => bytesFrom(new Uint8Array(16), "raw");
  await expect(openTrace([raw(), raw()], nodeCodecs)).rejects.toThrow("raw: several files aren't one trace");
  await expect(openTrace([], nodeCodecs)).rejects.toThrow("no trace");
});

describe("written", () => {
  const accesses = [
    entry(WITH, 4),
    entry(FETCH, 0x1000),
    entry(WITH, 8),
    entry(LOAD, 2 ** 48 - 8),
    entry(WITH, 16),
    entry(STORE, 0x2000, 3),
    entry(4, 0x2040, 3),
    entry(18, 0x3004, 0),
  ] as const;
  const PREFIXED = trace(...accesses, entry(WITH, 300 * 2 ** 24 + 2), entry(STORE, 0x4000));

  test.each(["a.drmemtrace", "a.trc", "a.drmemtrace.gz", "a.trc.gz"])("%s is read as it was written", async (name) => {
    const description = { ...DESCRIPTION, requesters: 300 };
    const bytes = await write(PREFIXED, name, { description });
    const { words, error } = await attempt(bytes, "no.name", { sizes: true, schedule: "thread", cores: undefined });
    expect(error).toBeUndefined();
    // Threads get cores in the order of their first access.
    const isThreads = name.includes("drmemtrace");
    const again = trace(
      ...accesses.map(
        ([low, high]) => [low, isThreads && high >>> 24 === 3 ? (high & 0xffffff) | (1 << 24) : high] as const,
      ),
      ...(isThreads
        ? [entry(WITH, 2), entry(STORE, 0x4000, 2)]
        : [entry(WITH, 300 * 2 ** 24 + 2), entry(STORE, 0x4000)]),
    );
    expect(words).toEqual(again);
  });

  test("what has no place there is refused, or left out and counted", async () => {
    const words = trace(entry(LOAD, 0x1000), entry(26, 5), entry(LOAD, 0x2000));
    for (const name of ["a.drmemtrace", "a.trc"]) {
      await expect(write(words, name)).rejects.toThrow(
        /can't hold this record; found SCTLR; expected load, store, fetch/,
      );
      const { words: kept } = await attempt(await write(words, name, { skip: true }), "t");
      expect(kept).toEqual(trace(entry(LOAD, 0x1000), entry(LOAD, 0x2000)));
    }
    const empty = await attempt(await write(trace(), "a.drmemtrace"), "t");
    expect(empty).toEqual({ words: trace(), error: undefined });
  });
});
