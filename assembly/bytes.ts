// What a copy holds beside its tag and state: bytes in the data-carrying build, one version for each smallest line in the
// versions build (R45), nothing in the plain one. Everything that moves contents goes through here.
import { allocate, smallestShift, VERSIONS } from "./layout";

/** Contents that the piece writes, and contents that it got. */
export let value: usize = 0;
export let seen: usize = 0;
/** Versions: the truth of the piece's line before the piece writes it. */
let truthBefore: u64 = 0;

/** A version that is newer in part only: some of its line wasn't the newest when it was stored to. It latches (R45). */
export const BEHIND: u64 = 0x8000000000000000;

export function allocateBuffers(): void {
  value = allocate(4096, 64);
  seen = allocate(4096, 64);
}

/** An offset in bytes, as it is in the stored contents. */
export function held(offset: usize): usize {
  return VERSIONS ? (offset >> smallestShift) << 3 : offset;
}

/** A size in bytes, as it is in the stored contents: a part of a smallest line is its whole version. */
export function heldSize(bytes: usize): usize {
  return VERSIONS ? ((bytes + (1 << smallestShift) - 1) >> smallestShift) << 3 : bytes;
}

/** Moves the contents of so many bytes. */
export function move(to: usize, from: usize, bytes: usize): void {
  if (VERSIONS && from == value && bytes < (<usize>1) << smallestShift) {
    store<u64>(to, load<u64>(to) == truthBefore ? load<u64>(from) : load<u64>(from) | BEHIND);
    return;
  }
  const size = heldSize(bytes);
  // Lines and aligned words, which nearly all moves are, without the call that a copy of any length takes.
  if (size == 64) {
    v128.store(to, v128.load(from));
    v128.store(to, v128.load(from, 16), 16);
    v128.store(to, v128.load(from, 32), 32);
    v128.store(to, v128.load(from, 48), 48);
  } else if (size == 8) store<u64>(to, load<u64>(from));
  else memory.copy(to, from, size);
}

/** The version that the piece writes. */
export function setVersion(version: u64, before: u64): void {
  store<u64>(value, version);
  truthBefore = before;
}
