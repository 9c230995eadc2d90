/**
 * Parameters of studies: what each may be, and lists of values as people type them. `64MiB..64GiB` steps from one end to
 * the other, `1,10,100` lists, `all` is every word.
 */
import { SetwayError } from "../engine/errors.ts";
import { nearestWord } from "../machine/nearest.ts";
import { formatBytes, parseBytes } from "../machine/quantity.ts";

interface Described {
  /** One line for `--help`. */
  readonly summary: string;
  /** As somebody would type it. */
  readonly default: string;
  /** It has one value in a study, not a list. */
  readonly single?: true;
}

export interface NumberParameter extends Described {
  readonly unit: "bytes" | "count" | "%" | "a second";
  readonly least: number;
  readonly most: number;
  /** `a..b` multiplies by this until it reaches b; 2 if absent. */
  readonly factor?: number;
  /** Whether only whole numbers make sense; bytes always are whole. */
  readonly whole?: boolean;
}

export interface WordParameter<Word extends string = string> extends Described {
  readonly words: readonly Word[];
}

export type Parameter = NumberParameter | WordParameter;
export type Parameters = Readonly<Record<string, Parameter>>;
export type Value = number | string;

/** One value of each parameter: what a row is measured with. */
export type ValuesOf<P extends Parameters> = {
  readonly [Name in keyof P]: P[Name] extends WordParameter<infer Word> ? Word : number;
};

export const isWords = (parameter: Parameter): parameter is WordParameter => "words" in parameter;

const MOST_VALUES = 1000;

/** The values that a text means, in the order typed, each once. Throws a usage error that names the parameter. */
export function parseValues(name: string, parameter: Parameter, text: string): readonly Value[] {
  const items = text.split(",").map((item) => item.trim());
  const values = items.flatMap((item): readonly Value[] =>
    isWords(parameter) ? wordsOf(name, parameter, item) : numbersOf(name, parameter, item),
  );
  const each = [...new Set(values)];
  if (parameter.single && each.length > 1) fail(name, parameter, `${each.length} values`);
  if (each.length > MOST_VALUES) fail(name, parameter, `${each.length} values`);
  return each;
}

function wordsOf(name: string, parameter: WordParameter, item: string): readonly string[] {
  if (item === "all" && !parameter.single) return parameter.words;
  const word = parameter.words.find((each) => each.toLowerCase() === item.toLowerCase());
  if (word === undefined) return fail(name, parameter, item, nearestWord(item, parameter.words));
  return [word];
}

function numbersOf(name: string, parameter: NumberParameter, item: string): readonly number[] {
  const ends = item.split("..").map((end) => numberOf(parameter, end));
  const [low, high = low] = ends;
  if (ends.length > 2 || low === undefined || high === undefined) return fail(name, parameter, item);
  if (low < parameter.least || high > parameter.most || low > high) return fail(name, parameter, item);
  // From zero nothing can be multiplied.
  if (low === 0 && high > 0) return fail(name, parameter, item);
  const values: number[] = [];
  for (let value = low; value < high; value *= parameter.factor ?? 2) values.push(value);
  return [...values, high];
}

function numberOf(parameter: NumberParameter, text: string): number | undefined {
  if (parameter.unit === "bytes") return parseBytes(text);
  const digits = text.trim().replace(/\s*%$/, parameter.unit === "%" ? "" : "%");
  if (!/^\d+(\.\d+)?$/.test(digits)) return undefined;
  const value = Number(digits);
  return parameter.whole && !Number.isInteger(value) ? undefined : value;
}

function fail(name: string, parameter: Parameter, found: string, nearest?: string): never {
  throw new SetwayError("usage", `--${name}: bad ${isWords(parameter) ? "word" : "value"}`, {
    found: found === "" ? "nothing" : found,
    expected: expectation(parameter),
    nearest,
  });
}

/** What may be typed: the words, or the range and how to write it. */
export function expectation(parameter: Parameter): string {
  if (isWords(parameter)) return parameter.single ? `one of ${parameter.words.join(", ")}` : parameter.words.join(", ");
  const { least, most } = parameter;
  const range = `${formatValue(parameter, least)} to ${formatValue(parameter, most)}`;
  return parameter.single ? range : `${range}, as in a,b or a..b`;
}

/** A value as people read it; `parseValues` reads it back. */
export function formatValue(parameter: Parameter, value: Value): string {
  if (typeof value === "string" || isWords(parameter)) return String(value);
  if (parameter.unit === "bytes") return formatBytes(value);
  // Three digits of a fraction at most; with options every call would make a formatter of its own.
  const text = value.toLocaleString("en-US");
  return parameter.unit === "%" ? `${text} %` : text;
}
