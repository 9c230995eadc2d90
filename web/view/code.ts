/** The story as code: what is on screen, to read, to change and to run again. */
import type { Setting } from "../protocol.ts";
import { h } from "./dom.ts";
import type { Page } from "./page.ts";

export class CodePanel {
  readonly element: HTMLDetailsElement;
  readonly #page: Page;
  readonly #text = h("textarea", {
    spellcheck: "false",
    autocapitalize: "off",
    wrap: "off",
    rows: 24,
    "aria-label": "The story's code",
    onkeydown: (event) => this.#key(event as KeyboardEvent),
  });
  readonly #run: (code: string | undefined) => void;
  #setting: Setting | undefined;

  constructor(page: Page, run: (code: string | undefined) => void) {
    this.#page = page;
    this.#run = run;
    this.element = h(
      "details",
      { class: "code", ontoggle: () => this.element.open && void this.#fill() },
      h("summary", {}, "The code of this story", h("kbd", {}, "c")),
      h(
        "p",
        {},
        "A story is TypeScript against setway's API. Change it and run it; type annotations are left out here, because the page runs it as it stands.",
      ),
      this.#text,
      h(
        "p",
        { class: "jumps" },
        h("button", { type: "button", class: "primary", onclick: () => run(this.#text.value) }, "Run (Ctrl+Enter)"),
        h("button", { type: "button", onclick: () => run(undefined) }, "Back to the original"),
        h("button", { type: "button", onclick: () => page.studio.stop() }, "Stop"),
      ),
    );
  }

  /** Shows what is played: the edited text, or the story's own when the panel is open. */
  show(setting: Setting, code: string | undefined): void {
    this.#setting = setting;
    if (code !== undefined) {
      this.#text.value = code;
      this.element.open = true;
    } else {
      this.#text.value = "";
      if (this.element.open) void this.#fill();
    }
  }

  toggle(): void {
    this.element.open = !this.element.open;
    if (this.element.open) this.element.scrollIntoView({ block: "start" });
  }

  async #fill(): Promise<void> {
    const setting = this.#setting;
    if (setting === undefined || this.#text.value !== "") return;
    const text = await this.#page.studio.ask("code", { setting }).answer;
    if (setting === this.#setting && this.#text.value === "") this.#text.value = text;
  }

  #key(event: KeyboardEvent): void {
    event.stopPropagation();
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.#run(this.#text.value);
    if (event.key === "Escape") this.#text.blur();
  }
}
