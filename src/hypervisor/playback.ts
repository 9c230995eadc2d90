/**
 * Recorded traces in a guest, in batches: each is given to the engine as a whole, and what exits is handled and gone on
 * from. A trace of several CPUs runs on as many virtual CPUs, each on a core of its own.
 */
import { SetwayError } from "../engine/errors.ts";
import { OPERATION_BY_CODE, OPERATIONS } from "../engine/operations.ts";
import { decodeRecords, encodeRecords } from "../engine/record.ts";
import { handleExit } from "./exits.ts";
import type { Vcpu } from "./vcpu.ts";

/** Words of 64 bits. What follows an exit is given to the engine again, so batches are not too long. */
const BATCH_WORDS = 2048;
const NARROW_REQUESTERS = 256;

export function playWords(words: Uint32Array, vcpuOf: (requester: number) => Vcpu): void {
  const count = words.length / 2;
  for (let first = 0; first < count; ) {
    let end = Math.min(count, first + BATCH_WORDS);
    // A prefix stays with its record.
    while (end < count && isPrefix(words, end - 1)) end++;
    playBatch(words.subarray(2 * first, 2 * end), vcpuOf);
    first = end;
  }
}

function playBatch(recorded: Uint32Array, vcpuOf: (requester: number) => Vcpu): void {
  const vcpus = new Map<number, Vcpu>();
  const vcpuFor = (requester: number): Vcpu => {
    const known = vcpus.get(requester);
    if (known) return known;
    const vcpu = vcpuOf(requester);
    vcpu.begin();
    vcpus.set(requester, vcpu);
    return vcpu;
  };
  const words = onTheirCores(recorded, vcpuFor);
  const byCore = new Map<number, Vcpu>();
  for (const vcpu of new Set(vcpus.values())) {
    if (byCore.has(vcpu.core)) {
      throw new SetwayError("usage", "a trace needs a core for each of its virtual CPUs", {
        found: `two on core ${vcpu.core}`,
      });
    }
    byCore.set(vcpu.core, vcpu);
  }
  const [any] = byCore.values();
  if (any === undefined) return;
  const { cores, engine } = any.vm.hypervisor;
  const count = words.length / 2;
  for (let at = 0; at < count; ) {
    for (const vcpu of byCore.values()) cores.enter(vcpu);
    const done = engine.run(at === 0 ? words : words.subarray(2 * at));
    if (done === count - at) return;
    const vcpu = byCore.get(engine.exit?.requester ?? -1) ?? any;
    at = handleExit(vcpu, words, at);
  }
}

/** The same records, with each requester replaced by the core of its virtual CPU. */
function onTheirCores(recorded: Uint32Array, vcpuFor: (requester: number) => Vcpu): Uint32Array {
  const words = recorded.slice();
  for (let at = 0; at < words.length; at += 2) {
    const high = words[at + 1] as number;
    const code = (high >>> 16) & 0xff;
    const operation = OPERATION_BY_CODE[code];
    if (operation?.prefix) {
      if (code === OPERATIONS.WITH.code && namesRequester(words[at] as number, high))
        return reencoded(recorded, vcpuFor);
      continue;
    }
    checkPlayable(operation?.requester);
    const { core } = vcpuFor(high >>> 24);
    if (core >= NARROW_REQUESTERS) return reencoded(recorded, vcpuFor);
    words[at + 1] = ((core << 24) | (high & 0xff_ffff)) >>> 0;
  }
  return words;
}

/** Bits 24 to 39 of a `WITH`: requesters beyond 255. */
const namesRequester = (low: number, high: number): boolean => low >>> 24 !== 0 || (high & 0xff) !== 0;

function reencoded(recorded: Uint32Array, vcpuFor: (requester: number) => Vcpu): Uint32Array {
  const entries = decodeRecords(recorded);
  for (const { code } of entries) checkPlayable(OPERATION_BY_CODE[code]?.requester);
  return encodeRecords(entries.map((entry) => ({ ...entry, requester: vcpuFor(entry.requester).core })));
}

function checkPlayable(requester: string | undefined): void {
  if (requester !== "device") return;
  throw new SetwayError("usage", "a trace with DMA cannot run in a guest", { expected: "records of cores" });
}

function isPrefix(words: Uint32Array, index: number): boolean {
  return OPERATION_BY_CODE[((words[2 * index + 1] as number) >>> 16) & 0xff]?.prefix === true;
}
