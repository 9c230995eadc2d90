/** A page as Markdown with pipe tables (GitHub's, pandoc's). Pictures are left out: Markdown has no place for them. */
import { type Block, type Cell, type Page, QUESTIONS, type Tone, textOf } from "./page.ts";

export function markdownOf({ title, lead, sections }: Page): string {
  const parts = [
    `# ${escapedText(title)}`,
    ...lead.map(cellText),
    ...sections.flatMap((section) => {
      const blocks = section.blocks.map(blockText).filter((text) => text !== "");
      return blocks.length === 0 ? [] : [`## ${escapedText(section.title)}`, ...blocks];
    }),
  ];
  return `${parts.join("\n\n")}\n`;
}

function blockText(block: Block): string {
  switch (block.kind) {
    case "table": {
      const head = block.columns.map(({ title }) => escapedText(title));
      const rule = block.columns.map(({ align }) => (align === "right" ? "---:" : ":---"));
      const rows = block.rows.map((row) => block.columns.map((_, index) => cellText(row[index] ?? "")));
      return [head, rule, ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
    }
    case "lines":
      return block.lines.map(cellText).join("\n\n");
    case "plain": {
      const fence = "`".repeat(Math.max(3, ...[...block.text.matchAll(/`+/g)].map(([run]) => run.length + 1)));
      return `${fence}text\n${block.text.replace(/\n$/, "")}\n${fence}`;
    }
    case "explained":
      return block.hazards
        .map(({ class: name, explanation }, index) => {
          const answers = QUESTIONS.flatMap(([key, title]) => {
            const text = explanation[key];
            return text === undefined ? [] : [`   - *${title}*: ${escapedText(text)}`];
          });
          return [`${index + 1}. **${escapedText(name)}**: ${escapedText(explanation.what)}`, ...answers].join("\n");
        })
        .join("\n");
    case "chart":
      return "";
  }
}

const MARKS: Readonly<Record<Tone, string>> = { bad: "**", warn: "**", good: "", strong: "**", quiet: "" };

function cellText(cell: Cell): string {
  const text = escapedText(textOf(cell).trim());
  const mark = typeof cell === "string" || text === "" ? "" : MARKS[cell.tone];
  return `${mark}${text}${mark}`;
}

/** What would begin markup, and what would end a table's cell. */
const escapedText = (text: string): string => text.replace(/[\\`*_[\]<>|~]/g, "\\$&").replace(/\s+/g, " ");
