/** Random numbers for generated streams: the same in every run, quick, and good enough for addresses. */

export interface Random {
  /** A whole number from 0, smaller than `limit` (at most 2^32). */
  below(limit: number): number;
}

/** xoroshiro64** (Blackman and Vigna), seeded. */
export function createRandom(seed: number): Random {
  let a = (seed ^ 0x9e37_79b9) | 1;
  let b = 0xd1b5_4a32;
  const next = () => {
    const result = Math.imul((Math.imul(a, 0x9e37_79bb) << 5) | (Math.imul(a, 0x9e37_79bb) >>> 27), 5);
    b ^= a;
    a = ((a << 26) | (a >>> 6)) ^ b ^ (b << 9);
    b = (b << 13) | (b >>> 19);
    return result >>> 0;
  };
  for (let i = 0; i < 16; i++) next();
  return { below: (limit) => Math.floor((next() / 2 ** 32) * limit) };
}

/** Draws ranks from 0 to `count - 1`, rank r with a weight of (r + 1)^-exponent: Walker's alias method. */
export function createZipf(count: number, exponent: number, random: Random): () => number {
  const weights = Float64Array.from({ length: count }, (_, rank) => (rank + 1) ** -exponent);
  const total = weights.reduce((all, weight) => all + weight, 0);
  const shares = weights.map((weight) => (weight * count) / total);
  const keep = new Float64Array(count).fill(1);
  const alias = Uint32Array.from({ length: count }, (_, rank) => rank);
  const small: number[] = [];
  const large: number[] = [];
  shares.forEach((share, rank) => {
    (share < 1 ? small : large).push(rank);
  });
  while (small.length > 0 && large.length > 0) {
    const poor = small.pop() as number;
    const rich = large.at(-1) as number;
    keep[poor] = shares[poor] as number;
    alias[poor] = rich;
    shares[rich] = (shares[rich] as number) - (1 - (shares[poor] as number));
    if ((shares[rich] as number) < 1) small.push(large.pop() as number);
  }
  return () => {
    const rank = random.below(count);
    return random.below(2 ** 32) / 2 ** 32 < (keep[rank] as number) ? rank : (alias[rank] as number);
  };
}
