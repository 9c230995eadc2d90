// XXH64, the checksum of zstd's frames (RFC 8878, 3.1.1; github.com/Cyan4973/xxHash), of bytes that come in parts.
import { words } from "./columns";

const P1: u64 = 0x9e3779b185ebca87;
const P2: u64 = 0xc2b2ae3d27d4eb4f;
const P3: u64 = 0x165667b19e3779f9;
const P4: u64 = 0x85ebca77c2b2ae63;
const P5: u64 = 0x27d4eb2f165667c5;
const STRIPE: usize = 32;

let a: u64 = 0;
let b: u64 = 0;
let c: u64 = 0;
let d: u64 = 0;
let total: u64 = 0;

export function begin(): void {
  a = P1 + P2;
  b = P2;
  c = 0;
  d = -P1;
  total = 0;
}

/** Takes so many stripes of 32 bytes, which lie at `words`. */
export function stripes(count: u32): void {
  const end = words + <usize>count * STRIPE;
  for (let at = words; at < end; at += STRIPE) {
    a = round(a, load<u64>(at));
    b = round(b, load<u64>(at, 8));
    c = round(c, load<u64>(at, 16));
    d = round(d, load<u64>(at, 24));
  }
  total += <u64>count * STRIPE;
}

/** Takes the last bytes, fewer than 32, which lie at `words`; the low half of the checksum. */
export function finish(bytes: u32): u32 {
  let hash = P5;
  if (total > 0) {
    hash = rotl(a, 1) + rotl(b, 7) + rotl(c, 12) + rotl(d, 18);
    hash = merged(merged(merged(merged(hash, a), b), c), d);
  }
  hash += total + bytes;
  let at = words;
  const end = words + bytes;
  for (; at + 8 <= end; at += 8) hash = rotl(hash ^ round(0, load<u64>(at)), 27) * P1 + P4;
  if (at + 4 <= end) {
    hash = rotl(hash ^ (<u64>load<u32>(at) * P1), 23) * P2 + P3;
    at += 4;
  }
  for (; at < end; at++) hash = rotl(hash ^ (<u64>load<u8>(at) * P5), 11) * P1;
  hash = (hash ^ (hash >> 33)) * P2;
  hash = (hash ^ (hash >> 29)) * P3;
  return <u32>(hash ^ (hash >> 32));
}

function round(lane: u64, input: u64): u64 {
  return rotl(lane + input * P2, 31) * P1;
}

function merged(hash: u64, lane: u64): u64 {
  return (hash ^ round(0, lane)) * P1 + P4;
}
