/** Damaged copies of files for fuzz tests: repeatable from a seed, and mostly small damage, which gets furthest into a reader. */

/** Numbers from 0 to 1 that depend on the seed only (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const INTERESTING = [0, 1, 2, 3, 4, 9, 0x20, 0x22, 0x26, 0x2d, 0x30, 0x39, 0x3c, 0x3e, 0x7b, 0x7d, 0x7f, 0x80, 0xff];

/** One to four changes: a bit, a byte, a 32-bit number, a stretch removed, repeated, moved or cut off. */
export function mutant(original: Uint8Array, random: () => number): Uint8Array {
  let bytes: Uint8Array = new Uint8Array(original);
  const upTo = (limit: number) => Math.floor(random() * limit);
  for (let changes = 1 + Math.floor(random() ** 2 * 4); changes > 0; changes--) {
    if (bytes.length === 0) return bytes;
    const at = upTo(bytes.length);
    const length = 1 + upTo(Math.min(64, bytes.length - at));
    switch (upTo(12)) {
      case 0:
      case 1:
      case 2:
      case 3:
        bytes[at] = bytes[at]! ^ (1 << upTo(8));
        break;
      case 4:
      case 5:
        bytes[at] = INTERESTING[upTo(INTERESTING.length)]!;
        break;
      case 6:
      case 7: {
        const values = [0, 1, 4, 24, 36, 0x7fffffff, 0x80000000, 0xffffffff, bytes.length, upTo(2 ** 32)];
        const number = new Uint8Array(4);
        new DataView(number.buffer).setUint32(0, values[upTo(values.length)]!, random() < 0.5);
        bytes.set(number.subarray(0, bytes.length - at), at);
        break;
      }
      case 8:
        bytes = joined(bytes.subarray(0, at), bytes.subarray(at + length));
        break;
      case 9:
        bytes = joined(bytes.subarray(0, at + length), bytes.subarray(at));
        break;
      case 10: {
        const to = upTo(bytes.length - length + 1);
        bytes.copyWithin(to, at, at + length);
        break;
      }
      default:
        // Rarely, for little is left to look at.
        if (random() < 0.2) bytes = bytes.slice(0, at);
        else bytes[at] = upTo(256);
    }
  }
  return bytes;
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const whole = new Uint8Array(first.length + second.length);
  whole.set(first);
  whole.set(second, first.length);
  return whole;
}
