/** An imported machine as YAML for people: what was read and what was assumed stand in comments, above and beside. */
import { Document, isMap, isNode, isSeq, type Node } from "yaml";
import type { Imported } from "./compose.ts";

const WIDTH = 118;

export function importedText(imported: Imported): string {
  const { description, format, files, read, assumed, left, remarks } = imported;
  const document = new Document(description);
  for (const [path, remark] of remarks) comment(document, path, remark);
  flow(document);
  const many = files.length > 4 ? `${files.slice(0, 3).join(", ")} and ${files.length - 3} more` : files.join(", ");
  const header = [
    ...wrapped(`Imported by setway from ${printable(many)} (${format}).`, "# ", "# "),
    ...section("Read:", read),
    ...section("Assumed:", assumed),
    ...section("Left out:", left),
  ];
  return `${header.join("\n")}\n\n${document.toString({ lineWidth: 0 })}`;
}

function section(title: string, sentences: readonly string[]): string[] {
  if (sentences.length === 0) return [];
  return [`# ${title}`, ...sentences.flatMap((sentence) => wrapped(printable(sentence), "#   - ", "#     "))];
}

const printable = (text: string): string => text.replace(/[^\x20-\x7e]/g, "?");

function wrapped(text: string, first: string, rest: string): string[] {
  const lines: string[] = [];
  let line = first;
  let isEmpty = true;
  for (const word of text.split(" ")) {
    if (!isEmpty && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = rest;
      isEmpty = true;
    }
    line += isEmpty ? word : ` ${word}`;
    isEmpty = false;
  }
  return [...lines, line];
}

/** Beside a key, or above it where its value takes more lines. */
function comment(document: Document, path: string, remark: string): void {
  const steps = path.split(".").map((step) => (/^[0-9]+$/.test(step) ? Number(step) : step));
  let node: Node | null = document.contents as Node | null;
  for (const [index, step] of steps.entries()) {
    if (isMap(node)) {
      const pair = node.items.find(
        ({ key }) => (isNode(key) ? String(key) : key) === step || String(key) === String(step),
      );
      if (pair === undefined) return;
      if (index === steps.length - 1) {
        if (isNode(pair.key) && remark !== "") pair.key.commentBefore = ` ${printable(remark)}`;
        return;
      }
      node = pair.value as Node | null;
    } else if (isSeq(node)) {
      node = node.items[Number(step)] as Node | null;
      if (index < steps.length - 1 || !node) continue;
      if (steps[0] === "cores") node.commentBefore = ` ${printable(remark)}`;
      else node.comment = ` ${printable(remark)}`;
    } else return;
  }
}

/** One line for each cache, region, device and change. */
function flow(document: Document): void {
  const root = document.contents;
  if (!isMap(root)) return;
  for (const { key, value } of root.items) {
    const name = String(key);
    if (name === "caches" && isMap(value))
      for (const cache of value.items) if (isMap(cache.value)) cache.value.flow = true;
    if ((name === "memory" || name === "devices") && isSeq(value))
      for (const item of value.items) if (isMap(item)) item.flow = true;
    if (name === "features" && isMap(value)) value.flow = true;
    if (name === "cores" && isSeq(value)) {
      for (const item of value.items) {
        if (!isMap(item)) continue;
        const caches = item.get("caches");
        if (isMap(caches)) for (const cache of caches.items) if (isMap(cache.value)) cache.value.flow = true;
        if (!isMap(caches)) item.flow = true;
      }
    }
  }
}
