/** What the keyboard does, told in a dialog. */
import { h } from "./dom.ts";

const KEYS: readonly (readonly [string, string])[] = [
  ["← →", "one frame back, or on"],
  ["[ ] or Shift ← →", "to the step of the story before, or the next one"],
  ["Space", "play, pause"],
  ["Home, End", "to the beginning, to the end"],
  ["h", "to the next hazard"],
  ["1 … 9", "switch a fix on or off"],
  ["c", "the story's code; Ctrl+Enter in it runs it, Escape leaves it"],
  ["m", "a machine of your own"],
  ["Shift S C W T M", "story, compare, set/way, trace, cost (money)"],
  ["?", "this list"],
];

/** Fields that take letters and arrows themselves. */
export function isTyping(event: KeyboardEvent): boolean {
  const target = event.target as HTMLElement;
  if (target.closest("dialog")) return true;
  if (target.matches("textarea, select, input[type=text]")) return true;
  // A button or a box that has the focus keeps its space, a slider its arrows.
  if (event.key === " " && target.matches("button, summary, input")) return true;
  return event.key.startsWith("Arrow") && target.matches("input[type=range]");
}

export function keysDialog(): HTMLDialogElement {
  const dialog: HTMLDialogElement = h(
    "dialog",
    { "aria-labelledby": "keys-title" },
    h("h2", { id: "keys-title" }, "Keys"),
    h("dl", {}, ...KEYS.flatMap(([key, what]) => [h("dt", {}, h("kbd", {}, key)), h("dd", {}, what)])),
    h("button", { type: "button", onclick: () => dialog.close() }, "Close"),
  );
  return dialog;
}
