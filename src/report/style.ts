/** Colour and emphasis for terminals. Everything said in colour is also said in words. */

export interface Style {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly red: (text: string) => string;
  readonly green: (text: string) => string;
  readonly yellow: (text: string) => string;
}

const sgr = (on: number, off: number) => (text: string) => `\u001b[${on}m${text}\u001b[${off}m`;
const plain = (text: string) => text;

const PLAIN: Style = { bold: plain, dim: plain, red: plain, green: plain, yellow: plain };
const COLORED: Style = { bold: sgr(1, 22), dim: sgr(2, 22), red: sgr(31, 39), green: sgr(32, 39), yellow: sgr(33, 39) };

export const styleFor = (color: boolean): Style => (color ? COLORED : PLAIN);

/** How many columns a text takes: its length without escape sequences. */
export function visibleLength(text: string): number {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with a control character.
  return text.replace(/\u001b\[[0-9;]*m/g, "").length;
}
