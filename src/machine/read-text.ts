/**
 * From YAML or JSON text to its content, with the way from each key back to its line. The one file that needs the YAML
 * reader: who has a description as an object leaves it out of a bundle.
 */
import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from "yaml";
import { type ErrorPlace, MachineError } from "../engine/errors.ts";
import type { Path } from "./keys.ts";
import { type Locate, locateByPath } from "./read.ts";

/** A text's content, unchecked, and the way from a key to its line. */
export interface DescriptionText {
  readonly content: unknown;
  readonly locate: Locate;
}

/** Reads YAML (and so JSON). Throws `MachineError` with line and column where it isn't well formed. */
export function readDescriptionText(text: string, file?: string): DescriptionText {
  const lines = new LineCounter();
  const inFile: ErrorPlace = file === undefined ? {} : { file };
  let content: unknown;
  let document: Document;
  try {
    document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: "error" });
    const problem = document.errors[0];
    if (problem !== undefined) {
      const { line, col } = lines.linePos(problem.pos[0]);
      throw new MachineError(`not valid YAML: ${problem.message}`, { ...inFile, line, column: col, cause: problem });
    }
    content = document.toJS();
  } catch (cause) {
    if (cause instanceof MachineError) throw cause;
    // The reader gives up in its own words on aliases that explode and on text nested deeper than its stack.
    throw new MachineError("not readable YAML", { ...inFile, found: String(cause).slice(0, 120), cause });
  }
  const locate: Locate = (path) => {
    const offset = offsetOf(document, path);
    const position = offset === undefined ? undefined : lines.linePos(offset);
    const place = position === undefined ? {} : { line: position.line, column: position.col };
    return { ...inFile, ...place, ...locateByPath(path) };
  };
  return { content, locate };
}

/** Offset of the key at a path, or of the innermost node around it that exists. */
function offsetOf(document: Document, path: Path): number | undefined {
  let node: Node | null | undefined = document.contents;
  let offset = node?.range?.[0];
  for (const step of path) {
    if (isAlias(node)) node = node.resolve(document);
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step));
      if (pair === undefined) return offset;
      offset = (pair.key as Node).range?.[0] ?? offset;
      node = pair.value as Node | null;
    } else if (isSeq(node)) {
      node = node.items[Number(step)] as Node | undefined;
      offset = node?.range?.[0] ?? offset;
    } else return offset;
  }
  return offset;
}
