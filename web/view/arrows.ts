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
    drawn.push(arrow(from, to, `move ${move.kind}`, move.kind, number, width));
  }
  for (const index of frame?.hazards ?? []) {
    const hazard = film.hazards[index];
    if (hazard === undefined || hazard.newestAt === undefined || hazard.line < 0 || hazard.kind === "latent") continue;
    const [from, to] = [box(hazard.observer, hazard.line), box(hazard.newestAt, hazard.line)];
    if (from !== undefined && to !== undefined) drawn.push(arrow(from, to, "thread", "missed", 1, width));
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

/** Pixels that a label takes, generously. */
const widthOf = (label: string): number =>
  [...label].reduce((sum, letter) => sum + (letter === letter.toLowerCase() ? 7.5 : 10), 0);
/** A label needs so much room beside the arrow that it belongs to. */
const LANE = 64;
/** An arrow past other boxes bends round what they hold. */
const FAR = 90;

/** From the edge of one box to the edge of the other; `room` is how wide the map is. */
function arrow(from: End, to: End, kind: string, label: string, lane: number, room: number): SVGElement {
  const isBeside = from.rect.bottom > to.rect.top && to.rect.bottom > from.rect.top;
  const { path, x, y } = isBeside ? beside(from, to) : upright(from, to, lane);
  // A label at the right edge stays inside.
  const inside = Math.max(0, Math.min(x, room - widthOf(label)));
  return s(
    "g",
    { class: kind },
    s("path", { d: path, "marker-end": kind === "thread" ? "url(#thread-head)" : "url(#head)" }),
    s("text", { x: inside, y }, label),
  );
}

/** A path, and where its label begins. */
interface Drawn extends Point {
  readonly path: string;
}

/** Between boxes of one row: over their heads, through the gap above them. */
function beside(from: End, to: End): Drawn {
  const gap = Math.max(from.around.top, to.around.top) - 8;
  const isRight = to.rect.x >= from.rect.x;
  const a = { x: isRight ? from.rect.right : from.rect.x, y: from.rect.y + from.rect.height / 2 };
  const b = { x: to.rect.x + to.rect.width * (isRight ? 0.3 : 0.7), y: to.rect.top };
  const turn = isRight ? 30 : -30;
  const path = `M${a.x} ${a.y}C${a.x + turn} ${gap} ${b.x - turn} ${gap - 6} ${b.x} ${b.y}`;
  return { path, x: (a.x + b.x) / 2 - 18, y: gap + 2 };
}

/** Between rows: straight up or down wherever both boxes allow it; bent if there are others between. */
function upright(from: End, to: End, lane: number): Drawn {
  const narrow = from.rect.width < to.rect.width ? from.rect : to.rect;
  const wanted = narrow.x + Math.min(narrow.width / 2, 60) + lane * LANE;
  const within = (rect: DOMRect) => Math.max(rect.x + 8, Math.min(rect.right - 8, wanted));
  const isDown = from.rect.bottom <= to.rect.top;
  const a = { x: within(from.rect), y: isDown ? from.rect.bottom : from.rect.top };
  const b = { x: within(to.rect), y: isDown ? to.rect.top : to.rect.bottom };
  const height = b.y - a.y;
  const bend = Math.abs(height) > FAR ? 60 + lane * 20 : 0;
  const middle = { x: (a.x + b.x) / 2 + bend, y: (a.y + b.y) / 2 };
  // The label stands in the gap that the arrow leaves its box through: there is nothing to hide there.
  const y = isDown ? from.around.bottom + 14 : from.around.top - 6;
  const t = height === 0 ? 0.5 : Math.max(0, Math.min(1, (y - 4 - a.y) / height));
  const x = (1 - t) ** 2 * a.x + 2 * t * (1 - t) * middle.x + t ** 2 * b.x;
  return { path: `M${a.x} ${a.y}Q${middle.x} ${middle.y} ${b.x} ${b.y}`, x: x + 7, y };
}
