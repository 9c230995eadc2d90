/** Horizontal bars, each with its name before it and its value behind it: comparisons that need no axis. */
import { COLORS, compact, type Picture, svgText } from "./svg.ts";

export interface Bar {
  readonly label: string;
  readonly value: number;
  /** In the place of the value. */
  readonly text?: string;
}

export interface BarChart {
  readonly title: string;
  readonly subtitle: string;
  readonly bars: readonly Bar[];
  /** What a bar of full length is; the largest value if absent. */
  readonly full?: number;
  /** Which of the colours; 0 if absent. */
  readonly color?: number;
}

const LETTER_WIDTH = 7;
const TOP = 56;
const ROW = 22;
const BAR = 14;
const BAR_WIDTH = 520;
const LEFT = 16;
const LEAST_WIDTH = 960;
/** More than these are summed up in one line: a picture of a hundred cores is still legible, one of a thousand isn't. */
const MOST_BARS = 128;

export function barChart({ title, subtitle, bars: all, full, color = 0 }: BarChart): Picture {
  const bars = all.slice(0, MOST_BARS);
  const labels = LEFT + Math.max(...bars.map(({ label }) => label.length), 8) * LETTER_WIDTH + 8;
  const most = full ?? Math.max(...bars.map(({ value }) => value), 0);
  const left = all.length - bars.length;
  const parts = [
    svgText(LEFT, 24, title, 'font-size="16" font-weight="bold"'),
    svgText(LEFT, 42, subtitle, 'class="quiet"'),
    ...bars.flatMap(({ label, value, text = compact(value) }, index) => {
      const y = TOP + index * ROW;
      const length = most === 0 ? 0 : (Math.min(value, most) / most) * BAR_WIDTH;
      return [
        svgText(labels - 8, y + BAR - 3, label, 'text-anchor="end"'),
        `<rect x="${labels}" y="${y}" width="${length.toFixed(1)}" height="${BAR}" fill="${COLORS[color % COLORS.length]}"/>`,
        svgText((labels + length + 8).toFixed(1), y + BAR - 3, text),
      ];
    }),
    ...(left > 0 ? [svgText(LEFT, TOP + bars.length * ROW + BAR, `and ${left} more`, 'class="quiet"')] : []),
  ];
  const height = TOP + (bars.length + (left > 0 ? 1 : 0)) * ROW + 24;
  return { title: `${title}: ${subtitle}`, width: Math.max(LEAST_WIDTH, labels + BAR_WIDTH + 120), height, parts };
}
