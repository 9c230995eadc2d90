/** Does `setway/trace` take whatever a program has of a trace, in Node and as a page would, and say what it can't read? */
import { readdirSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { load, records, store } from "../../src/engine/record.ts";
import { bytesInto, createTrace, openTrace, type TraceInput } from "../../src/trace/index.ts";
import { platform } from "../../src/trace/platform.web.ts";
import { temporaryFolder } from "../cli/files.ts";

const WORDS = records(store(0, 0x1000), load(1, 0x1000));
const folder = temporaryFolder();
let server: Server;
let address: string;

beforeAll(async () => {
  const sink = await createTrace(folder.path("small.swt"), { source: "a test" });
  await sink.write(WORDS);
  await sink.close();
  server = createServer((request, response) => {
    const isThere = request.url === "/small.swt";
    response.writeHead(isThere ? 200 : 404).end(isThere ? readFileSync(folder.path("small.swt")) : "");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.close();
  folder.remove();
});

const bytes = () => new Uint8Array(readFileSync(folder.path("small.swt")));

async function wordsOf(input: TraceInput | readonly TraceInput[]): Promise<number[]> {
  const words: number[] = [];
  for await (const batch of (await openTrace(input)).batches()) words.push(...batch);
  return words;
}

describe("openTrace", () => {
  it.each<[string, () => TraceInput | readonly TraceInput[]]>([
    ["a path", () => folder.path("small.swt")],
    ["a file URL", () => pathToFileURL(folder.path("small.swt"))],
    ["a URL", () => new URL(`${address}/small.swt`)],
    ["bytes", bytes],
    ["a blob", () => new Blob([bytes()])],
    ["a stream", () => new Blob([bytes()]).stream()],
    ["a list of one", () => [bytes()]],
  ])("reads %s", async (_name, input) => {
    expect(await wordsOf(input())).toEqual([...WORDS]);
  });

  it.each<[string, () => TraceInput | readonly TraceInput[], string]>([
    ["a path that isn't there", () => folder.path("none.swt"), "can't be opened"],
    ["a URL that isn't there", () => new URL(`${address}/none.swt`), "can't be fetched; found 404 Not Found"],
    ["a URL that nobody serves", () => new URL("http://127.0.0.1:1/small.swt"), "can't be fetched"],
    ["a list whose second is missing", () => [bytes(), folder.path("none.swt")], "can't be opened"],
    ["no file", () => [], "no trace"],
  ])("refuses %s", async (_name, input, message) => {
    await expect(openTrace(input())).rejects.toThrow(message);
  });

  it("calls a file of a page by its name", async () => {
    expect((await openTrace(new File([bytes()], "dropped.swt"))).name).toBe("dropped.swt");
  });
});

describe("createTrace", () => {
  it("says what it knows in the header, and of the rest what bare records say", async () => {
    const trace = await openTrace(folder.path("small.swt"));
    await trace.close();
    const { header } = trace;
    expect(header).toMatchObject({ source: "a test", addresses: "physical", format: "swt" });
    expect(header.provenance).toEqual({ maintenance: true, control: true, dma: false, ownership: false });
  });

  it("refuses a name that says no format", async () => {
    await expect(createTrace(bytesInto("small"))).rejects.toThrow("the output's name doesn't say its format");
    // And leaves nothing behind.
    const before = readdirSync(folder.path("."));
    await expect(createTrace(folder.path("small"))).rejects.toThrow("the output's name doesn't say its format");
    expect(readdirSync(folder.path("."))).toEqual(before);
  });
});

describe("the platform of pages", () => {
  it("fetches by name, and can't write by name", async () => {
    const source = await platform.sourcesAt(`${address}/small.swt`);
    const parts: number[] = [];
    if ("chunks" in source) for await (const chunk of source.chunks()) parts.push(...chunk);
    expect(Uint8Array.from(parts)).toEqual(bytes());
    await expect(platform.sinkAt("small.swt")).rejects.toThrow("files can't be written by name here");
  });
});
