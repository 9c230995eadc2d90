/** Arrows over the map: what the last frame moved, and the thread from a hazard to the value that it missed. */
import type { Film, Frame, PlaceKey } from "../film.ts";
import { s } from "./dom.ts";

type Anchor = (key: PlaceKey, line: number) => Element | undefined;

/** What an arrow begins or ends at, and the box around it. */
interface End {
  readonly rect: DOMRect;
  readonly around: DOMRect;
}

interface Point {
  readonly x: number;
  readonly y: number;
}

export function drawArrows(
  svg: SVGSVGElement,
  grid: HTMLElement,
  film: Film,
  frame: Frame | undefined,
  anchor: Anchor,
): void {
  const { width, height, left, top } = grid.getBoundingClientRect();
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.setAttribute("width", String(width));
  svg.setAttribute("height", String(height));
  const place = (element: Element): DOMRect => {
    const rect = element.getBoundingClientRect();
    return new DOMRect(rect.x - left, rect.y - top, rect.width, rect.height);
  };
  const box = (key: PlaceKey, line: number): End | undefined => {
    const element = anchor(key, line);
    return element && { rect: place(element), around: place(element.closest(".box") ?? element) };
  };
  const drawn: Element[] = [];
  const lanes = new Map<string, number>();
  for (const move of frame?.moves ?? []) {
    const [from, to] = [box(move.from, move.line), box(move.to, move.line)];
    if (from === undefined || to === undefined) continue;
    // Arrows between the same two boxes keep apart.
    const lane = [move.from, move.to].sort().join();
    const number = lanes.get(lane) ?? 0;
    lanes.set(lane, number + 1);
    drawn.push(arrow(from, to, `move ${move.kind}`, move.kind, number));
  }
  for (const index of frame?.hazards ?? []) {
    const hazard = film.hazards[index];
    if (hazard === undefined || hazard.newestAt === undefined || hazard.line < 0 || hazard.kind === "latent") continue;
    const [from, to] = [box(hazard.observer, hazard.line), box(hazard.newestAt, hazard.line)];
    if (from !== undefined && to !== undefined) drawn.push(arrow(from, to, "thread", "missed", 1));
  }
  svg.replaceChildren(marker("head"), marker("thread-head"), ...drawn);
}

function marker(id: string): SVGElement {
  return s(
    "marker",
    { id, viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto-start-reverse" },
    s("path", { d: "M0 0 8 4 0 8z", class: id }),
  );
}

/** A label needs so much room beside the arrow that it belongs to. */
const LANE = 64;
/** An arrow past other boxes bends round what they hold. */
const FAR = 90;

/** From the edge of one box to the edge of the other. */
function arrow(from: End, to: End, kind: string, label: string, lane: number): SVGElement {
  const [a, b] = ends(from.rect, to.rect, lane * LANE);
  const length = Math.hypot(b.x - a.x, b.y - a.y);
  const bend = length > FAR ? 60 + lane * 20 : 0;
  const middle = { x: (a.x + b.x) / 2 + bend, y: (a.y + b.y) / 2 };
  const path = `M${a.x} ${a.y}Q${middle.x} ${middle.y} ${b.x} ${b.y}`;
  return s(
    "g",
    { class: kind },
    s("path", { d: path, "marker-end": kind === "thread" ? "url(#thread-head)" : "url(#head)" }),
    s("text", labelAt(a, b, middle, from.around), label),
  );
}

/** Beside the arrow, in the gap that it leaves its box through: there is nothing to hide there. */
function labelAt(
  a: Point,
  b: Point,
  middle: Point,
  around: DOMRect,
): Record<"x" | "y" | "text-anchor", number | string> {
  const height = b.y - a.y;
  if (Math.abs(height) < 14) return { x: (a.x + b.x) / 2, y: Math.min(a.y, b.y) - 5, "text-anchor": "middle" };
  const y = height > 0 ? around.bottom + 14 : around.top - 6;
  const t = Math.max(0, Math.min(1, (y - 4 - a.y) / height));
  const x = (1 - t) ** 2 * a.x + 2 * t * (1 - t) * middle.x + t ** 2 * b.x;
  return { x: x + 7, y, "text-anchor": "start" };
}

/** Straight up or down wherever both boxes allow it, else from side to side. */
function ends(from: DOMRect, to: DOMRect, aside: number): readonly [Point, Point] {
  const narrow = from.width < to.width ? from : to;
  const wanted = narrow.x + Math.min(narrow.width / 2, 60) + aside;
  const within = (rect: DOMRect) => Math.max(rect.x + 8, Math.min(rect.right - 8, wanted));
  if (from.bottom <= to.top) {
    return [
      { x: within(from), y: from.bottom },
      { x: within(to), y: to.top },
    ];
  }
  if (to.bottom <= from.top) {
    return [
      { x: within(from), y: from.top },
      { x: within(to), y: to.bottom },
    ];
  }
  const y = (rect: DOMRect) => rect.y + rect.height / 2;
  const isRight = to.x >= from.x;
  return [
    { x: isRight ? from.right : from.x, y: y(from) },
    { x: isRight ? to.x : to.right, y: y(to) },
  ];
}
