/** A heat map on a canvas: a row for each core, a column for each stretch of the trace. */
import type { Heat, HeatMetric } from "../protocol.ts";

/** Dark to light, ordered in lightness, the same for all kinds of colour vision (after Cividis). */
const SCALE = [
  "#00204d",
  "#123570",
  "#3b496c",
  "#575d6d",
  "#707173",
  "#8a8678",
  "#a59c74",
  "#c3b369",
  "#e1cc55",
  "#fee838",
];

const RGB = SCALE.map((text) => [1, 3, 5].map((at) => Number.parseInt(text.slice(at, at + 2), 16)));

/** The scale as CSS, for its key. */
export const SCALE_GRADIENT = `linear-gradient(to right, ${SCALE.join(", ")})`;

/** Paints one pixel a cell; a cell's value is a share of `most`. */
export function paintHeat(canvas: HTMLCanvasElement, heat: Heat, metric: HeatMetric, most: number): void {
  canvas.width = Math.max(1, heat.columns);
  canvas.height = Math.max(1, heat.cores.length);
  const context = canvas.getContext("2d");
  if (context === null) return;
  const image = context.createImageData(canvas.width, canvas.height);
  const values = heat.cells[metric];
  for (let cell = 0; cell < values.length; cell++) {
    // The square root shows what is small beside what is large.
    const share = most === 0 ? 0 : Math.sqrt((values[cell] ?? 0) / most);
    const at = Math.min(RGB.length - 1, share * (RGB.length - 1));
    const [low, high] = [RGB[Math.floor(at)] as number[], RGB[Math.ceil(at)] as number[]];
    const part = at - Math.floor(at);
    image.data.set([...low.map((value, channel) => value + ((high[channel] ?? 0) - value) * part), 255], 4 * cell);
  }
  context.putImageData(image, 0, 0);
}

/** The largest cell of a metric. */
export function mostOf(heat: Heat, metric: HeatMetric): number {
  let most = 0;
  for (const value of heat.cells[metric]) if (value > most) most = value;
  return most;
}
