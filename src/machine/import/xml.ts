/** XML as a small tree of elements with line numbers, bounded in depth and number; entities beyond XML's own five are errors. */
import { SaxesParser } from "saxes";
import { MachineError } from "../../engine/errors.ts";

const MAX_ELEMENTS = 500_000;
const MAX_DEPTH = 200;
const MAX_ATTRIBUTES = 1_000_000;

export interface XmlElement {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: XmlElement[];
  /** Where it begins. */
  readonly line: number;
  text: string;
}

export const isXml = (text: string): boolean => /^\uFEFF?\s*<(\?xml|!DOCTYPE|!--|[A-Za-z])/.test(text.slice(0, 1024));

/** The root element. Throws `MachineError` with line and column where the text isn't well formed. */
export function readXml(file: string, text: string): XmlElement {
  const parser = new SaxesParser({ fileName: file });
  const open: XmlElement[] = [];
  let root: XmlElement | undefined;
  let count = 0;
  let attributes = 0;
  const fail = (what: string, found?: string): never => {
    throw new MachineError(what, { file, line: parser.line, column: parser.column + 1, found });
  };
  parser.on("error", (error) => {
    // The parser's own words begin with the place.
    const reason = error.message.replace(/^.*?[0-9]+:[0-9]+: /s, "").slice(0, 200);
    fail(`not well-formed XML: ${reason}`);
  });
  parser.on("opentag", (tag) => {
    if (++count > MAX_ELEMENTS) fail(`more than ${MAX_ELEMENTS} elements`);
    if (open.length >= MAX_DEPTH) fail(`elements nest deeper than ${MAX_DEPTH}`);
    const element: XmlElement = {
      name: tag.name,
      attributes: new Map(Object.entries(tag.attributes as Record<string, string>)),
      children: [],
      line: parser.line,
      text: "",
    };
    open.at(-1)?.children.push(element);
    root ??= element;
    open.push(element);
  });
  parser.on("attribute", () => {
    if (++attributes > MAX_ATTRIBUTES) fail(`more than ${MAX_ATTRIBUTES} attributes`);
  });
  parser.on("text", (content) => {
    const element = open.at(-1);
    if (element !== undefined && element.text.length < 65_536) element.text += content;
  });
  parser.on("closetag", () => void open.pop());
  parser.write(text.replace(/^\uFEFF/, "")).close();
  if (root === undefined) throw new MachineError("no element in the XML", { file });
  return root;
}

export const elements = (parent: XmlElement | undefined, name: string): XmlElement[] =>
  parent?.children.filter((candidate) => candidate.name === name) ?? [];

export const element = (parent: XmlElement | undefined, name: string): XmlElement | undefined =>
  elements(parent, name)[0];
