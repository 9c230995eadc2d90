/** The page: reads its URL, asks the worker what there is, and shows one view at a time. */
import { fromHash, type PageState, START, toHash, VIEWS, type ViewName } from "./address.ts";
import type { Catalogue } from "./protocol.ts";
import { Studio } from "./studio.ts";
import { CompareView } from "./view/compare-view.ts";
import { CostView } from "./view/cost-view.ts";
import { h } from "./view/dom.ts";
import { isTyping, keysDialog } from "./view/keys.ts";
import type { Page, View } from "./view/page.ts";
import { StoryView } from "./view/story-view.ts";
import { SweepView } from "./view/sweep-view.ts";
import { TraceView } from "./view/trace-view.ts";

const TITLES: Readonly<Record<ViewName, string>> = {
  story: "Story",
  compare: "Compare",
  sweep: "Set/way",
  trace: "Trace",
  cost: "Cost",
};

/** With Shift. */
const VIEW_KEYS: Readonly<Record<string, ViewName>> = { S: "story", C: "compare", W: "sweep", T: "trace", M: "cost" };

class Explorer implements Page {
  readonly studio: Studio;
  readonly catalogue: Catalogue;
  #state: PageState = START;
  readonly #views = new Map<ViewName, View>();
  readonly #place = document.querySelector("#view") as HTMLElement;
  readonly #nav = document.querySelector("#views") as HTMLElement;
  /** The URL as the page wrote it last: its own changes are no news. */
  #written = "";

  constructor(studio: Studio, catalogue: Catalogue) {
    this.studio = studio;
    this.catalogue = catalogue;
  }

  get state(): PageState {
    return this.#state;
  }

  async start(): Promise<void> {
    addEventListener("hashchange", () => {
      if (location.hash !== this.#written) void this.#read();
    });
    addEventListener("keydown", (event) => this.#key(event));
    const dialog = keysDialog();
    document.body.append(dialog);
    document.querySelector("#help")?.addEventListener("click", () => dialog.showModal());
    await this.#read();
  }

  update(changes: Partial<PageState>, redraw = false): void {
    this.#state = { ...this.#state, ...changes };
    void this.#write();
    if (redraw) this.#show();
  }

  async #read(): Promise<void> {
    this.#state = await fromHash(location.hash);
    this.#show();
  }

  async #write(): Promise<void> {
    const state = this.#state;
    const hash = await toHash(state);
    if (state !== this.#state) return;
    this.#written = hash;
    history.replaceState(null, "", hash);
  }

  #show(): void {
    const { view: name } = this.#state;
    this.#nav.replaceChildren(
      ...VIEWS.map((each) =>
        h(
          "button",
          {
            type: "button",
            "aria-current": each === name ? "page" : undefined,
            onclick: () => this.update({ view: each }, true),
          },
          TITLES[each],
        ),
      ),
    );
    let view = this.#views.get(name);
    if (view === undefined) {
      view = MAKERS[name](this);
      this.#views.set(name, view);
    }
    for (const other of this.#views.values()) if (other !== view) other.hide?.();
    if (this.#place.firstChild !== view.element) this.#place.replaceChildren(view.element);
    this.#place.removeAttribute("aria-busy");
    document.title = `${TITLES[name]} · setway explorer`;
    view.show();
  }

  #key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event)) return;
    if (event.key === "?") {
      document.querySelector<HTMLDialogElement>("dialog")?.showModal();
      event.preventDefault();
      return;
    }
    const view = VIEW_KEYS[event.key];
    if (view !== undefined) this.update({ view }, true);
    else if (!this.#views.get(this.#state.view)?.key?.(event)) return;
    event.preventDefault();
  }
}

const MAKERS: Readonly<Record<ViewName, (page: Page) => View>> = {
  story: (page) => new StoryView(page),
  compare: (page) => new CompareView(page),
  sweep: (page) => new SweepView(page),
  trace: (page) => new TraceView(page),
  cost: (page) => new CostView(page),
};

async function start(): Promise<void> {
  const studio = new Studio();
  try {
    await new Explorer(studio, await studio.ask("catalogue", {}).answer).start();
  } catch (error) {
    const message = `The explorer can't start: ${(error as Error).message}`;
    document.querySelector("#view")?.replaceChildren(h("p", { class: "waiting", role: "alert" }, message));
  }
}

void start();
