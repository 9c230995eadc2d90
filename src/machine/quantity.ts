/** Sizes and addresses as people write them: `32KiB`, `0x4000_0000`, `1.5 MiB`. */

const UNIT_BYTES: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};
const PATTERN = /^\s*(0x[0-9a-f][0-9a-f_]*|[0-9][0-9_]*(?:\.[0-9]+)?)\s*(b|[kmgt]ib|)\s*$/i;

/** Whole bytes, or undefined if the text is no size or not a whole number of bytes. */
export function parseBytes(value: number | string): number | undefined {
  const bytes = typeof value === "number" ? value : bytesOfText(value);
  return Number.isSafeInteger(bytes) && bytes >= 0 ? bytes : undefined;
}

function bytesOfText(text: string): number {
  const match = text.length <= 64 ? PATTERN.exec(text) : null;
  if (match === null) return Number.NaN;
  return Number(match[1]!.replaceAll("_", "")) * UNIT_BYTES[match[2]!.toLowerCase()]!;
}

/** `48 KiB`, `2.25 MiB`, `100 B`: the largest unit that leaves at most two decimals. */
export function formatBytes(bytes: number): string {
  for (const [unit, size] of [
    ["TiB", 2 ** 40],
    ["GiB", 2 ** 30],
    ["MiB", 2 ** 20],
    ["KiB", 2 ** 10],
  ] as const) {
    const count = bytes / size;
    if (count >= 1 && Number.isInteger(count * 100)) return `${count} ${unit}`;
  }
  return `${bytes} B`;
}
