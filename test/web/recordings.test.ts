/** Is a recording that is dropped on the page known by its name, and read, however it is compressed? */
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { giveRecording, shelf } from "../../web/worker/recordings.ts";
import { XZ_OF_RAW64, ZST_OF_RAW64 } from "../trace/samples.ts";

/** What the samples are of: 20,000 loads of 0x40000000 + 8 * (i % 16). */
const WORDS = Uint32Array.from({ length: 40_000 }, (_, i) => (i % 2 === 0 ? 0x4000_0000 + 8 * ((i / 2) % 16) : 0));
const BARE = new Uint8Array(WORDS.buffer);
const FILES = { "": BARE, ".gz": gzipSync(BARE), ".xz": XZ_OF_RAW64, ".zst": ZST_OF_RAW64 };

test.each(Object.entries(FILES))("boot.raw64%s is the recording boot", async (ending, bytes) => {
  const file = new File([Uint8Array.from(bytes)], `boot.raw64${ending}`);
  expect(await giveRecording(file, ["boot", "other"])).toBe("boot");
  const recording = await shelf("http://nowhere/")("boot");
  expect(recording?.words).toEqual(WORDS);
});
