/**
 * Two films in step: steps of the story that both have go together, their frames in proportion; a step that only one has
 * is played there while the other waits.
 */
import type { Film } from "./film.ts";

/** Positions of both films at one moment. */
export interface Pair {
  readonly a: number;
  readonly b: number;
}

export interface Pairing {
  /** Moment 0 is before both films. */
  readonly pairs: readonly Pair[];
  /** Moments at which steps begin. */
  readonly stops: readonly number[];
}

export function pairUp(a: Film, b: Film): Pairing {
  const pairs: Pair[] = [{ a: 0, b: 0 }];
  const stops: number[] = [];
  const play = (toA: number, toB: number) => {
    const from = pairs.at(-1) as Pair;
    const count = Math.max(toA - from.a, toB - from.b);
    if (count <= 0) return;
    stops.push(pairs.length - 1);
    const between = (start: number, end: number, n: number) => start + Math.round(((end - start) * n) / count);
    for (let n = 1; n <= count; n++) pairs.push({ a: between(from.a, toA, n), b: between(from.b, toB, n) });
  };
  for (const [stepA, stepB] of matched(a, b)) {
    const last = pairs.at(-1) as Pair;
    play(
      stepA === undefined ? last.a : (a.steps[stepA]?.end ?? last.a),
      stepB === undefined ? last.b : (b.steps[stepB]?.end ?? last.b),
    );
  }
  play(a.frames.length, b.frames.length);
  return { pairs, stops };
}

/** Steps by their texts, in order: a longest common part, and between its members what only one side has. */
function matched(a: Film, b: Film): (readonly [number | undefined, number | undefined])[] {
  const [m, n] = [a.steps.length, b.steps.length];
  const best = Array.from({ length: m + 1 }, () => new Array<number>(n + 1).fill(0));
  const at = (i: number, j: number) => best[i]?.[j] ?? 0;
  const same = (i: number, j: number) => a.steps[i]?.text === b.steps[j]?.text;
  for (let i = m - 1; i >= 0; i--) {
    for (let j = n - 1; j >= 0; j--) {
      (best[i] as number[])[j] = same(i, j) ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const steps: [number | undefined, number | undefined][] = [];
  let [i, j] = [0, 0];
  while (i < m || j < n) {
    if (i < m && j < n && same(i, j)) steps.push([i++, j++]);
    else if (j >= n || (i < m && at(i + 1, j) >= at(i, j + 1))) steps.push([i++, undefined]);
    else steps.push([undefined, j++]);
  }
  return steps;
}
