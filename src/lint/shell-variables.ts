/**
 * What a script sets itself, put in where it uses it: `NAME=value`, `name=(...)`, `name+=(...)`, `$NAME`, `${NAME:-else}` and
 * `"${name[@]}"`, in the order of the text. Nothing is run: what the script doesn't say stays as it was written.
 */
import { MachineError } from "../engine/errors.ts";
import { END, QUOTED, type RawWord, rawWords, UNQUOTED, type Word } from "./shell-words.ts";

const ASSIGNMENT = /^([A-Za-z_]\w*)(\+?)=/;
/** Commands whose further words are assignments. */
const DECLARES = /^(export|local|readonly|declare|typeset)$/;
const MAX_WORD = 2 ** 16;
const MAX_EXPANDED = 2 ** 20;

/** For the `$` of what isn't known, while quoted ones are plain text. */
const LEFT = "\x04";

// biome-ignore lint/suspicious/noControlCharactersInRegex: the marks of `shell-words.ts`
const EXPANSION = /([\x01\x02])([^\x03]*)\x03/g;

/** The words of a script. Throws `MachineError` where quotes don't end, or where the text grows without bounds. */
export function shellWords(file: string, text: string): Word[] {
  const variables = new Map<string, readonly string[]>();
  const words: Word[] = [];
  let expanded = 0;
  const expand = (word: RawWord): string[] => {
    const texts = expansionsOf(word.text, variables);
    expanded += texts.reduce((sum, each) => sum + each.length, 0);
    if (texts.some((each) => each.length > MAX_WORD) || expanded > MAX_EXPANDED) {
      const expected = `${MAX_WORD} characters a word, ${MAX_EXPANDED} together`;
      throw new MachineError("variables that grow without bounds", { file, line: word.line, expected });
    }
    return texts;
  };
  let assigns = false;
  for (const word of rawWords(file, text)) {
    assigns = word.first || assigns;
    const [head, name, append] = (assigns && ASSIGNMENT.exec(word.text)) || [];
    if (head !== undefined && name !== undefined) {
      const values = word.elements?.flatMap(expand) ?? [
        expand({ ...word, text: word.text.slice(head.length) }).join(" "),
      ];
      const before = append === "" ? [] : (variables.get(name) ?? []);
      variables.set(name, word.elements === undefined ? [[...before, ...values].join("")] : [...before, ...values]);
      continue;
    }
    assigns = DECLARES.test(word.text);
    for (const [index, each] of expand(word).entries())
      words.push({
        text: each.replaceAll(LEFT, "$"),
        line: word.line,
        first: word.first && index === 0,
        isLeftToShell: each.includes(LEFT),
      });
  }
  return words;
}

/** The words that one word becomes. */
function expansionsOf(text: string, variables: ReadonlyMap<string, readonly string[]>): string[] {
  if (!text.includes(END)) return [text];
  // An array in a word of its own is its elements; elsewhere they are one text.
  const [whole, , inside = ""] = new RegExp(`^${EXPANSION.source}$`).exec(text) ?? [];
  const list = /^(\w+)\[[@*]\]$/.exec(inside)?.[1];
  if (whole !== undefined && list !== undefined && variables.has(list)) return [...variables.get(list)!];
  const put = text.replace(EXPANSION, (_, mark: string, expansion: string) => {
    const [, name = "", rest = ""] = /^(\w+)(?:\[[@*]\])?(?::?-(.*))?$/s.exec(expansion) ?? [];
    const value = variables.get(name)?.join(" ") ?? (rest === "" ? undefined : rest);
    if (value === undefined) return written(expansion);
    return mark === QUOTED ? value : value.replace(/\s+/g, UNQUOTED);
  });
  return put.split(UNQUOTED).filter((part, _, parts) => part !== "" || parts.length === 1);
}

/** As it stood in the script, more or less. */
const written = (expansion: string): string =>
  /^(\w+|\W)$/.test(expansion) || expansion.startsWith("(") ? `${LEFT}${expansion}` : `${LEFT}{${expansion}}`;
