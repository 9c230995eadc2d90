/**
 * A command line as a shell would split it: quotes, backslashes, comments, continued lines, arrays, and places where it
 * would put in something else; and NUL-separated, as /proc has it.
 */
import { MachineError } from "../engine/errors.ts";

export interface Word {
  readonly text: string;
  readonly line: number;
  /** The first word of a command, after a line's end or an operator. */
  readonly first: boolean;
  /** Something in it is only known when the script runs. */
  readonly isLeftToShell?: boolean;
}

/** A word before expansion; one of `name=(...)` has the words in the parentheses. */
export interface RawWord extends Word {
  readonly elements?: RawWord[];
}

/**
 * What a shell expands stands in a word between two of these: `\x01NAME\x03` of `$NAME` and `\x01(nproc)\x03` of `$(nproc)`;
 * with `\x02` where it was in double quotes, so that it stays one word.
 */
export const UNQUOTED = "\x01";
export const QUOTED = "\x02";
export const END = "\x03";

const MAX_WORDS = 100_000;

export function rawWords(file: string, script: string): RawWord[] {
  if (script.includes("\0")) {
    return script
      .replace(/\0+$/, "")
      .split("\0", MAX_WORDS)
      .map((word, index) => ({ text: word, line: 1, first: index === 0 }));
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are ours from here on
  const text = script.replace(/[\x01-\x04]/g, "?");
  const words: RawWord[] = [];
  /** Of the array whose parenthesis is open. */
  let elements: RawWord[] | undefined;
  let count = 0;
  let line = 1;
  let first = true;
  let at = 0;
  while (at < text.length) {
    const character = text[at]!;
    if (character === "\n") {
      line++;
      first = true;
      at++;
    } else if (character === ")" && elements !== undefined) {
      elements = undefined;
      first = false;
      at++;
    } else if (/[;|&()]/.test(character)) {
      first = true;
      at++;
    } else if (/\s/.test(character)) at++;
    else if (character === "\\" && /^\\\r?\n/.test(text.slice(at, at + 3))) {
      line++;
      at = text.indexOf("\n", at) + 1;
    } else if (character === "#") {
      const end = text.indexOf("\n", at);
      at = end < 0 ? text.length : end;
    } else {
      const word = wordAt(file, text, at, line);
      const opens = elements === undefined && text[word.end] === "(" && /^[A-Za-z_]\w*\+?=$/.test(word.text);
      const inside: RawWord[] | undefined = opens ? [] : undefined;
      (elements ?? words).push({
        text: word.text,
        line,
        first: elements === undefined && first,
        ...(inside && { elements: inside }),
      });
      elements ??= inside;
      if (++count > MAX_WORDS)
        throw new MachineError("too many words", { file, line, expected: `${MAX_WORDS} at most` });
      first = false;
      line += word.lines;
      at = opens ? word.end + 1 : word.end;
    }
  }
  return words;
}

function wordAt(file: string, text: string, start: number, line: number): { text: string; end: number; lines: number } {
  const parts: string[] = [];
  let lines = 0;
  let at = start;
  let quote = "";
  for (; at < text.length; at++) {
    const character = text[at]!;
    if (quote === "" && /[\s;|&()]/.test(character)) break;
    if (character === quote) quote = "";
    else if (quote === "" && (character === "'" || character === '"')) quote = character;
    else if (quote !== "'" && (character === "$" || character === "`")) {
      const [expansion, end] = expansionAt(text, at);
      lines += expansion.split("\n").length - 1;
      parts.push(end === at ? character : `${quote === "" ? UNQUOTED : QUOTED}${expansion}${END}`);
      at = end;
    } else if (character === "\\" && quote !== "'") {
      const next = text[++at] ?? "";
      if (next === "\n") lines++;
      else parts.push(quote === '"' && !/["\\$`]/.test(next) ? `\\${next}` : next);
    } else {
      if (character === "\n") lines++;
      parts.push(character);
    }
  }
  if (quote !== "")
    throw new MachineError("a quote doesn't end", { file, line, found: quote, expected: `another ${quote}` });
  return { text: parts.join(""), end: at, lines };
}

/** What stands at a `$` or a backtick, without either and without braces, and its last character; the `$` itself if nothing. */
function expansionAt(text: string, at: number): [expansion: string, last: number] {
  if (text[at] === "`") {
    const end = text.indexOf("`", at + 1);
    return end < 0 ? ["", at] : [`(${text.slice(at + 1, end)})`, end];
  }
  const next = text[at + 1] ?? "";
  if (next === "{") {
    const end = text.indexOf("}", at);
    return end < 0 ? ["", at] : [text.slice(at + 2, end), end];
  }
  if (next === "(") {
    let depth = 0;
    for (let end = at + 1; end < text.length; end++) {
      if (text[end] === "(") depth++;
      else if (text[end] === ")" && --depth === 0) return [text.slice(at + 1, end + 1), end];
    }
    return ["", at];
  }
  const name = /^([A-Za-z_][A-Za-z0-9_]*|[0-9@*#?$!-])/.exec(text.slice(at + 1, at + 65))?.[0] ?? "";
  return [name, at + name.length];
}
