/**
 * From what people write, as a plain object, to a complete description, or a `MachineError` that says where: the dotted
 * key, and whatever else who read the text knows of the place. Rules between keys are `resolve.ts`'s affair.
 */
import type * as z from "zod/mini";
import { type ErrorDetail, type ErrorPlace, MachineError } from "../engine/errors.ts";
import { keyAt, type Path, validKeys } from "./keys.ts";
import { nearestWord } from "./nearest.ts";
import { type CompleteDescription, type MachineDescription, machineSchema } from "./schema.ts";

/** Where a key stands in what was read. */
export type Locate = (path: Path) => ErrorPlace;

const dottedPath = (path: Path): string => path.join(".");

/** Without text there is nothing but the dotted key. */
export const locateByPath: Locate = (path) => (path.length === 0 ? {} : { path: dottedPath(path) });

/** Checks a description key by key and fills in the schema's defaults. Throws `MachineError` at the first bad key. */
export function completeDescription(
  description: MachineDescription | unknown,
  locate: Locate = locateByPath,
): CompleteDescription {
  let result: ReturnType<typeof machineSchema.safeParse>;
  try {
    result = machineSchema.safeParse(description);
  } catch (cause) {
    throw new MachineError("not a readable description", { found: String(cause).slice(0, 120), cause });
  }
  if (!result.success) throw machineErrorOf(result.error.issues, description, locate);
  checkSources(result.data, locate);
  return result.data;
}

/** A source names a key of the description; a misspelt one would silently be nobody's source. */
function checkSources(description: CompleteDescription, locate: Locate): void {
  for (const source of Object.keys(description.sources)) {
    const path = source.split(".");
    if (keyAt(path) !== undefined) continue;
    const parent = path.slice(0, -1);
    throw new MachineError("a source for a key that doesn't exist", {
      ...locate(["sources", source]),
      found: shown(source),
      expected: "a dotted key of the description",
      nearest: nearestWord(path.at(-1)!, validKeys(parent).map(String)),
    });
  }
}

type Issue = z.core.$ZodIssue;

/** The issue that tells most: a misspelt key explains a missing one. */
function machineErrorOf(issues: readonly Issue[], input: unknown, locate: Locate): MachineError {
  const flat = issues.map((issue) => specificIssue(issue, input));
  const issue = flat.find(({ code }) => code === "unrecognized_keys") ?? flat[0]!;
  const path = issue.path.map((step) => (typeof step === "symbol" ? String(step) : step));
  if (issue.code === "unrecognized_keys") {
    const key = issue.keys[0]!;
    const keys = validKeys(path);
    return new MachineError("unknown key", {
      ...locate([...path, key]),
      found: shown(key),
      expected: `one of ${keys.join(", ")}`,
      nearest: nearestWord(key, keys),
    });
  }
  const value = valueAt(input, path);
  const detail: ErrorDetail = { ...locate(path), found: shown(value), expected: expectedAt(path) };
  if (value === undefined) return new MachineError("a required key is missing", detail);
  const words = wordsOf(issue);
  const nearest = typeof value === "string" ? nearestWord(value, words) : undefined;
  return new MachineError("not a valid value", nearest === undefined ? detail : { ...detail, nearest });
}

/** What the key expects, or the key around it where that has no more to say. */
function expectedAt(path: Path): string {
  for (let length = path.length; length > 0; length--) {
    const expects = keyAt(path.slice(0, length))?.note?.expects;
    if (expects !== undefined) return expects;
  }
  return "a mapping with at least `cores` and `caches`";
}

/** Words that would have been valid where a word was given. */
function wordsOf(issue: Issue): string[] {
  if (issue.code === "invalid_value") return issue.values.map(String);
  if (issue.code === "invalid_union") return issue.errors.flatMap((branch) => branch.flatMap(wordsOf));
  return [];
}

/** Of alternatives that all failed, the one that the value was meant to be: its problem lies inside, or it is a word. */
function specificIssue(issue: Issue, input: unknown): Issue {
  if (issue.code !== "invalid_union") return issue;
  const path = issue.path.map((step) => (typeof step === "symbol" ? String(step) : step));
  const value = valueAt(input, path);
  const meant = issue.errors.find((branch) => branch.some((nested) => isSpecific(nested, value)));
  const nested = meant?.find((candidate) => candidate.code === "unrecognized_keys") ?? meant?.[0];
  if (nested === undefined) return issue;
  return specificIssue({ ...nested, path: [...issue.path, ...nested.path] } as Issue, input);
}

/** Whether an alternative failed for what is inside the value, not for what kind of value it is. */
function isSpecific(issue: Issue, value: unknown): boolean {
  if (issue.path.length > 0) return true;
  if (issue.code === "invalid_type") return issue.expected === "int" && typeof value === "number";
  return issue.code === "invalid_value" ? typeof value === "string" : true;
}

function valueAt(input: unknown, path: Path): unknown {
  let value = input;
  for (const step of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Record<string | number, unknown>)[step];
  }
  return value;
}

/** A value in a few words. */
export function shown(value: unknown): string {
  if (value === undefined) return "nothing";
  if (typeof value === "string") return value.length > 40 ? `"${value.slice(0, 40)}..."` : `"${value}"`;
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === "object" && value !== null) return "a mapping";
  return String(value).slice(0, 40);
}
