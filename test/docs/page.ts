/** Pages of documentation as tests see them: generated tables, complete examples, and commands with what they print. */
import { readFileSync, writeFileSync } from "node:fs";

export interface Page {
  readonly name: string;
  readonly text: string;
}

const pathOf = (name: string) => new URL(`../../${name}`, import.meta.url);

export const readPage = (name: string): Page => ({ name, text: readFileSync(pathOf(name), "utf8") });

/** What stands between a page's marks for a generated table, and the page with another table there. */
export function generatedPart(page: Page, table: string): { found: string; replaceWith(text: string): void } {
  const begin = new RegExp(`<!-- ${table}: generated from \\S+ -->\n`).exec(page.text);
  const end = page.text.indexOf(`<!-- end of ${table} -->`);
  if (begin === null || end < 0) throw new Error(`${page.name} has no place for the table of ${table}`);
  const start = begin.index + begin[0].length;
  return {
    found: page.text.slice(start, end),
    replaceWith: (text) => writeFileSync(pathOf(page.name), page.text.slice(0, start) + text + page.text.slice(end)),
  };
}

/** A Markdown table, each row a line. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return `${[line(head), `|${"---|".repeat(head.length)}`, ...rows.map(line)].join("\n")}\n`;
}

/** The code of a page's blocks in a language. */
export const fences = (page: Page, language: string): string[] =>
  [...page.text.matchAll(new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\``, "gm"))].map(
    ([, code]) => code as string,
  );

/** The complete stories of a page, by the names that they give themselves. */
export function storyFiles(page: Page): ReadonlyMap<string, string> {
  return new Map(
    fences(page, "ts").map((code) => {
      const name = /^\s+name: "([^"]+)"/m.exec(code)?.[1];
      if (name === undefined) throw new Error(`an example of ${page.name} is no story:\n${code}`);
      return [`${name}.ts`, code];
    }),
  );
}

export interface Command {
  readonly line: string;
  /** What it prints, runs of lines with something left out between them. */
  readonly printed: readonly string[];
}

/** The commands of a page's console blocks: each line that begins with `$ `, and what follows it. */
export function commandsOf(page: Page): Command[] {
  return fences(page, "console").flatMap((block) =>
    block
      .split(/^\$ /m)
      .filter((part) => part.trim() !== "")
      .map((part) => {
        const [line = "", ...rest] = part.split("\n");
        const printed = rest.join("\n").split(/^\.\.\.$/m);
        return { line, printed: printed.map((run) => run.replace(/^\n+|\s+$/g, "")).filter((run) => run !== "") };
      }),
  );
}

export interface Program {
  /** Counted from 1. */
  readonly number: number;
  readonly code: string;
  /** What stands in the text block right below it. */
  readonly printed: string;
}

/** The programs of a page whose output follows them. */
export function programsOf(page: Page): Program[] {
  const both = [...page.text.matchAll(/^```js\n([\s\S]*?)^```\n\n```text\n([\s\S]*?)^```/gm)];
  return both.map(([, code = "", printed = ""], index) => ({
    number: index + 1,
    code,
    printed: printed.replace(/\n$/, ""),
  }));
}

/** Runs a program whose imports are of these modules. */
export async function run(code: string, modules: Readonly<Record<string, object>>): Promise<void> {
  const body = code.replace(/^import \{([\s\S]*?)\} from ("[^"]+");$/gm, "const {$1} = modules[$2];");
  const AsyncFunction = run.constructor as new (...parameters: string[]) => (given: typeof modules) => Promise<void>;
  await new AsyncFunction("modules", body)(modules);
}

/** The command lines of a page that stand in shell blocks or are indented, without comments, pipes and redirections. */
export function shownCommands(page: Page): string[] {
  const indented = [...page.text.matchAll(/^ {4}(setway .*)$/gm)].map(([, line = ""]) => line);
  const lines = [...fences(page, "sh").flatMap((block) => block.split("\n")), ...indented].map((line) =>
    line
      .replace(/(^| )#.*$/, "")
      .split(/ [|>] /)
      .find((part) => part.trim().startsWith("setway ")),
  );
  // Indented lines have their explanation behind two blanks.
  return lines.flatMap((line) => (line === undefined ? [] : [(line.trim().split(/ {2,}/)[0] as string).trim()]));
}
