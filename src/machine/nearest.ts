/** The nearest valid word to a misspelt one, for error messages; and tables that are asked by words which nobody has checked. */
import { SetwayError } from "../engine/errors.ts";

/** Levenshtein distance, ignoring case. */
function distance(a: string, b: string): number {
  const left = a.toLowerCase();
  const right = b.toLowerCase();
  let previous = Array.from({ length: right.length + 1 }, (_, column) => column);
  for (let row = 1; row <= left.length; row++) {
    const current = [row];
    for (let column = 1; column <= right.length; column++) {
      const substitution = previous[column - 1]! + (left[row - 1] === right[column - 1] ? 0 : 1);
      current.push(Math.min(substitution, previous[column]! + 1, current[column - 1]! + 1));
    }
    previous = current;
  }
  return previous[right.length]!;
}

/** The candidate with the smallest Levenshtein distance; undefined where more than half of the word would change. */
export function nearestWord(word: string, candidates: Iterable<string>): string | undefined {
  // Words longer than any key are no typing slips; the bound also keeps the table small.
  if (word.length > 64) return undefined;
  let best: string | undefined;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const changes = distance(word, candidate);
    if (changes < bestDistance) {
      best = candidate;
      bestDistance = changes;
    }
  }
  if (best === undefined) return undefined;
  return bestDistance <= Math.ceil(Math.max(word.length, best.length) / 2) ? best : undefined;
}

/**
 * What a table has for a word. Throws a usage error, with the nearest word, where it has nothing: a user's own file runs
 * without its types having been looked at.
 */
export function entryOf<Value>(table: Readonly<Record<string, Value>>, word: string, what: string): Value {
  if (typeof word === "string" && Object.hasOwn(table, word)) return table[word] as Value;
  const words = Object.keys(table);
  throw new SetwayError("usage", `no such ${what}`, {
    found: String(word),
    expected: words.join(", "),
    nearest: typeof word === "string" ? nearestWord(word, words) : undefined,
  });
}
