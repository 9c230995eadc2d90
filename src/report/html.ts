/**
 * A page as one HTML file that needs nothing else: styles inside, pictures inline, no scripts, nothing fetched. Light or dark
 * as the reader's system is; prints; wide tables scroll by themselves on a narrow screen.
 */
import { type Block, type Cell, type Page, QUESTIONS, textOf } from "./page.ts";
import { escaped } from "./svg.ts";

const STYLE = `
:root{color-scheme:light dark;--paper:#fff;--ink:#1b1b1b;--quiet:#595959;--rule:#d5d5d5;--shade:#f4f5f6;--bad:#b3261e;--warn:#8a5a00;--good:#1b6e3c}
@media(prefers-color-scheme:dark){:root{--paper:#161a1d;--ink:#e8e8e8;--quiet:#a8a8a8;--rule:#3a4046;--shade:#1f2428;--bad:#ff8a80;--warn:#ffc46b;--good:#7bd8a0}}
body{margin:0 auto;padding:1.5rem;max-width:72rem;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
h1{font-size:1.6rem;line-height:1.25;margin:0 0 .5rem;overflow-wrap:anywhere}
h2{font-size:1.2rem;margin:2rem 0 .5rem;padding-bottom:.2rem;border-bottom:1px solid var(--rule)}
p{margin:.3rem 0}
.scroll{overflow-x:auto;margin:.5rem 0}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}
th,td{padding:.25rem .75rem;text-align:left;border-bottom:1px solid var(--rule);vertical-align:top}
th{color:var(--quiet);font-weight:600;white-space:nowrap}
.right{text-align:right}.right,.short{white-space:nowrap}
tbody tr:nth-child(even){background:var(--shade)}
.bad{color:var(--bad);font-weight:600}.warn{color:var(--warn);font-weight:600}.good{color:var(--good);font-weight:600}.strong{font-weight:700}.quiet{color:var(--quiet)}
ol{padding-left:1.5rem}li{margin-bottom:1rem}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.15rem 1rem;margin:.3rem 0}
dt{color:var(--quiet)}dd{margin:0;overflow-wrap:anywhere}
pre{padding:.75rem;background:var(--shade);overflow-x:auto;font-size:.85rem;line-height:1.35}
figure{margin:.5rem 0}
figure svg{max-width:100%;height:auto;min-width:36rem}
@media(max-width:40rem){body{padding:1rem}th,td{padding:.2rem .5rem}td:not(.right,.short){min-width:12rem}}
`.trim();

/** Cells of at most so many letters stay on one line: names have hyphens. */
const SHORT = 24;

export function htmlOf({ title, lead, sections }: Page): string {
  const parts = sections.flatMap((section) => {
    const blocks = section.blocks.map(blockHtml).filter((text) => text !== "");
    return blocks.length === 0 ? [] : [`<section>\n<h2>${escaped(section.title)}</h2>`, ...blocks, "</section>"];
  });
  return [
    "<!doctype html>",
    '<html lang="en">',
    "<head>",
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>${escaped(title)}</title>`,
    `<style>${STYLE}</style>`,
    "</head>",
    "<body>",
    "<main>",
    `<h1>${escaped(title)}</h1>`,
    ...lead.map((cell) => `<p>${cellHtml(cell)}</p>`),
    ...parts,
    "</main>",
    "</body>",
    "</html>",
    "",
  ].join("\n");
}

function blockHtml(block: Block): string {
  switch (block.kind) {
    case "table":
      return tableHtml(block);
    case "lines":
      return block.lines.map((line) => `<p>${cellHtml(line)}</p>`).join("\n");
    case "plain":
      return `<pre tabindex="0">${escaped(block.text)}</pre>`;
    case "explained": {
      const items = block.hazards.map(({ class: name, explanation }) => {
        const answers = QUESTIONS.flatMap(([key, question]) => {
          const text = explanation[key];
          return text === undefined ? [] : [`<dt>${question}</dt><dd>${escaped(text)}</dd>`];
        });
        return `<li><strong>${escaped(name)}</strong>: ${escaped(explanation.what)}\n<dl>${answers.join("\n")}</dl></li>`;
      });
      return `<ol>\n${items.join("\n")}\n</ol>`;
    }
    case "chart":
      return `<figure class="scroll" tabindex="0" aria-label="${escaped(block.about)}">\n${block.svg.trim()}\n</figure>`;
  }
}

function tableHtml({ columns, rows }: Extract<Block, { kind: "table" }>): string {
  const side = (index: number, text: string): string => {
    if (columns[index]?.align === "right") return ' class="right"';
    return text.length <= SHORT ? ' class="short"' : "";
  };
  const head = columns
    .map(({ title }, index) => `<th scope="col"${side(index, title)}>${escaped(title)}</th>`)
    .join("");
  const body = rows.map(
    (row) => `<tr>${row.map((cell, index) => `<td${side(index, textOf(cell))}>${cellHtml(cell)}</td>`).join("")}</tr>`,
  );
  return [
    '<div class="scroll" tabindex="0" role="group">',
    "<table>",
    `<thead><tr>${head}</tr></thead>`,
    "<tbody>",
    ...body,
    "</tbody>",
    "</table>",
    "</div>",
  ].join("\n");
}

const cellHtml = (cell: Cell): string =>
  typeof cell === "string" ? escaped(cell) : `<span class="${cell.tone}">${escaped(textOf(cell))}</span>`;
