/**
 * What all pictures share: escaped texts, colours that people who see colours differently can tell apart, and one style
 * that follows the reader's light or dark scheme. No scripts, no fonts of their own.
 */

/** Told apart by people who see colours differently (Okabe and Ito); grey in the place of black, for dark pages. */
export const COLORS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f7f7f"] as const;

/** Classes, not colours, in the pictures: the same element is legible on white and on black. */
const STYLE = [
  ".setway text{fill:#1b1b1b}.setway .quiet{fill:#595959}.setway .paper{fill:#fff}",
  ".setway .grid{stroke:#e3e3e3}.setway .frame{stroke:#333;fill:none}",
  "@media(prefers-color-scheme:dark){.setway text{fill:#e8e8e8}.setway .quiet{fill:#a8a8a8}.setway .paper{fill:#161a1d}",
  ".setway .grid{stroke:#33383c}.setway .frame{stroke:#999}}",
].join("");

/** Around a picture's parts. `title` is read out in the place of the picture. */
function svgDocument(width: number, height: number, title: string, parts: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" class="setway" role="img" font-family="sans-serif" font-size="12">`,
    `<title>${escaped(title)}</title>`,
    `<style>${STYLE}</style>`,
    `<rect class="paper" width="${width}" height="${height}"/>`,
    ...parts,
    "</svg>",
    "",
  ].join("\n");
}

export const svgText = (x: number | string, y: number | string, content: string, attributes = ""): string =>
  `<text x="${x}" y="${y}"${attributes === "" ? "" : ` ${attributes}`}>${escaped(content)}</text>`;

/** For XML and HTML, in elements and in attributes. What neither may hold at all becomes a replacement character. */
export const escaped = (content: string): string =>
  content
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what XML forbids.
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "\ufffd")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");

/** Several pictures as one, from top to bottom. */
export function stacked(title: string, pictures: readonly Picture[]): string {
  const width = Math.max(320, ...pictures.map((picture) => picture.width));
  const tops = pictures.map((_, index) => pictures.slice(0, index).reduce((sum, { height }) => sum + height, 0));
  const height = Math.max(40, (tops.at(-1) ?? 0) + (pictures.at(-1)?.height ?? 0));
  const parts = pictures.flatMap(({ parts: own }, index) => [
    `<g transform="translate(0 ${tops[index]})">`,
    ...own,
    "</g>",
  ]);
  return svgDocument(width, height, title, pictures.length === 0 ? [svgText(16, 24, "nothing to draw")] : parts);
}

/** Parts of a picture, in pixels of its own. */
export interface Picture {
  readonly title: string;
  readonly width: number;
  readonly height: number;
  readonly parts: readonly string[];
}

export const pictureDocument = ({ width, height, title, parts }: Picture): string =>
  svgDocument(width, height, title, parts);

/** `1.5 k`, `20 M`. */
export function compact(value: number): string {
  for (const [unit, size] of [
    ["T", 1e12],
    ["G", 1e9],
    ["M", 1e6],
    ["k", 1e3],
  ] as const) {
    if (value >= size) return `${Number((value / size).toPrecision(3))} ${unit}`;
  }
  return String(Number(value.toPrecision(3)));
}
