/**
 * Walks the schema of the machine description: which keys are valid at a path, and what is said about each. Error
 * messages and the reference page read the schema through this, so neither repeats it.
 */
import type * as z from "zod/mini";
import { type KeyNote, keyNotes, LEVEL_NAMES, machineSchema } from "./schema.ts";

export type Path = readonly (string | number)[];

/** What the walk needs of a schema's definition; each kind of schema has some of these. */
interface Definition {
  readonly type: string;
  readonly innerType?: z.ZodMiniType;
  readonly in?: z.ZodMiniType;
  readonly defaultValue?: unknown;
  readonly shape?: Readonly<Record<string, z.ZodMiniType>>;
  readonly options?: readonly z.ZodMiniType[];
  readonly element?: z.ZodMiniType;
  readonly valueType?: z.ZodMiniType;
}

const definitionOf = (schema: z.ZodMiniType) => schema.def as unknown as Definition;

/** What is known about one key: its note, and the default of the outermost wrapper that has one. */
export interface Key {
  readonly note: KeyNote | undefined;
  readonly defaultValue: unknown;
  /** The schema without wrappers for defaults and optional values. */
  readonly schema: z.ZodMiniType;
}

function keyOf(schema: z.ZodMiniType): Key {
  let note = keyNotes.get(schema);
  let defaultValue: unknown;
  let current = schema;
  for (;;) {
    const definition = definitionOf(current);
    if (definition.type === "default" && defaultValue === undefined) defaultValue = definition.defaultValue;
    const inner = definition.type === "pipe" ? definition.in : definition.innerType;
    if (inner === undefined) return { note, defaultValue, schema: current };
    current = inner;
    note ??= keyNotes.get(current);
  }
}

/** Keys of a mapping, or of the mapping among the alternatives; empty for anything else. */
function childrenOf(schema: z.ZodMiniType): Readonly<Record<string, z.ZodMiniType>> {
  const definition = definitionOf(keyOf(schema).schema);
  if (definition.shape !== undefined) return definition.shape;
  return Object.assign({}, ...(definition.options ?? []).map(childrenOf));
}

/** The schema of a list's items, or of the list among the alternatives. */
function elementOf(schema: z.ZodMiniType): z.ZodMiniType | undefined {
  const definition = definitionOf(keyOf(schema).schema);
  if (definition.element !== undefined) return definition.element;
  for (const option of definition.options ?? []) {
    const element = elementOf(option);
    if (element !== undefined) return element;
  }
  return undefined;
}

function schemaAt(path: Path): z.ZodMiniType | undefined {
  let schema: z.ZodMiniType | undefined = machineSchema;
  for (const step of path) {
    if (schema === undefined) return undefined;
    const children = childrenOf(schema);
    const isIndex = typeof step === "number" || /^[0-9]+$/.test(step);
    schema = isIndex ? elementOf(schema) : Object.hasOwn(children, step) ? children[step] : undefined;
  }
  return schema;
}

/** What the schema says about the key at a path; undefined where there is no such key. */
export function keyAt(path: Path): Key | undefined {
  const schema = schemaAt(path);
  return schema === undefined ? undefined : keyOf(schema);
}

/** The keys that a mapping at this path may have. */
export function validKeys(path: Path): readonly string[] {
  const schema = schemaAt(path);
  return schema === undefined ? [] : Object.keys(childrenOf(schema));
}

/** One row of the reference: a key's dotted path, with `<level>` for the levels of cache and `[]` for items of a list. */
export interface KeyRow {
  readonly path: string;
  readonly about: string;
  readonly expects: string;
  readonly otherwise: string;
}

/** Every key of the description, in the order of the schema. */
export function keyRows(): readonly KeyRow[] {
  return Object.entries(childrenOf(machineSchema)).flatMap(([name, schema]) => rowsOf(name, schema));
}

function rowsOf(path: string, schema: z.ZodMiniType): KeyRow[] {
  const { note, defaultValue } = keyOf(schema);
  if (note === undefined) throw new Error(`${path} has no note in the schema`);
  const given = defaultValue === undefined ? undefined : defaultText(path, defaultValue);
  const row = { path, about: note.about, expects: note.expects, otherwise: given ?? note.otherwise ?? "" };
  // A cluster's own caches and registers repeat what stands above them.
  if (path === "cores[].caches" || path === "cores[].registers" || path === "registers.ccsidrUnknown") return [row];
  const element = elementOf(schema);
  if (element !== undefined) return [row, ...nestedRows(`${path}[]`, element)];
  if (path === "caches") return [row, ...nestedRows("caches.<level>", childrenOf(schema)[LEVEL_NAMES[0]]!)];
  return [row, ...nestedRows(path, schema)];
}

function nestedRows(path: string, schema: z.ZodMiniType): KeyRow[] {
  return Object.entries(childrenOf(schema)).flatMap(([name, child]) => rowsOf(`${path}.${name}`, child));
}

function defaultText(path: string, value: unknown): string {
  if (path === "initialSctlr") return `0x${Number(value).toString(16)} (M, C and I set)`;
  if (typeof value === "object")
    return Array.isArray(value) ? "none" : Object.keys(value ?? {}).length === 0 ? "none" : "";
  return String(value);
}
