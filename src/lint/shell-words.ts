/** A command line as a shell would split it: quotes, backslashes, comments, continued lines; and NUL-separated, as /proc has it. */
import { MachineError } from "../engine/errors.ts";

export interface Word {
  readonly text: string;
  readonly line: number;
  /** The first word of a command, after a line's end or an operator. */
  readonly first: boolean;
}

const MAX_WORDS = 100_000;

export function shellWords(file: string, text: string): Word[] {
  if (text.includes("\0")) {
    return text
      .replace(/\0+$/, "")
      .split("\0", MAX_WORDS)
      .map((word, index) => ({ text: word, line: 1, first: index === 0 }));
  }
  const words: Word[] = [];
  let line = 1;
  let first = true;
  let at = 0;
  while (at < text.length) {
    const character = text[at]!;
    if (character === "\n") {
      line++;
      first = true;
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
      words.push({ text: word.text, line, first });
      if (words.length > MAX_WORDS)
        throw new MachineError("too many words", { file, line, expected: `${MAX_WORDS} at most` });
      first = false;
      line += word.lines;
      at = word.end;
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
    else if (character === "\\" && quote !== "'") {
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
