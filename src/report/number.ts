/** Numbers as people read them: grouped, with units, addresses in hexadecimal. */

/** `1234567` as `1,234,567`. */
export const count = (value: number | bigint): string => value.toLocaleString("en-US");

/** `3 lines`, `1 line`. */
export const counted = (value: number, noun: string, plural = `${noun}s`): string =>
  `${count(value)} ${value === 1 ? noun : plural}`;

/** Part of a whole in percent, `-` where there is no whole. */
export function percent(part: number, whole: number): string {
  if (whole === 0) return "-";
  return `${((100 * part) / whole).toFixed(2)} %`;
}

export const address = (value: number): string => `0x${value.toString(16)}`;

export const word = (value: bigint): string => `0x${value.toString(16).padStart(16, "0")}`;

/** `1,234 a second` down to a readable magnitude. */
export function rate(perSecond: number): string {
  if (!Number.isFinite(perSecond)) return "-";
  if (perSecond >= 1e6) return `${(perSecond / 1e6).toFixed(1)} million a second`;
  return `${count(Math.round(perSecond))} a second`;
}

export const seconds = (value: number): string => `${value.toFixed(value < 10 ? 2 : 1)} s`;

/** Ascending numbers as ranges: `0-3, 8`. */
export function ranges(values: readonly number[]): string {
  const parts: string[] = [];
  for (let index = 0; index < values.length; ) {
    let end = index;
    while (values[end + 1] === (values[end] as number) + 1) end++;
    parts.push(end === index ? `${values[index]}` : `${values[index]}-${values[end]}`);
    index = end + 1;
  }
  return parts.join(", ");
}
