/** The page: reads its URL, asks the worker what there is, and shows one view at a time. */
import { fitsAddress, fromHash, type PageState, START, toHash, VIEWS, type ViewName } from "./address.ts";
import { type Catalogue, OWN_MACHINE, type OwnMachine } from "./protocol.ts";
import { Studio } from "./studio.ts";
import { CompareView } from "./view/compare-view.ts";
import { CostView } from "./view/cost-view.ts";
import { h } from "./view/dom.ts";
import { isTyping, keysDialog } from "./view/keys.ts";
import { type MachineAnswer, OwnMachineDialog } from "./view/own-machine.ts";
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
  /** What comes with the page, without the visitor's own machine. */
  readonly #shipped: Catalogue;
  #catalogue: Catalogue;
  readonly #own: OwnMachineDialog;
  readonly #notice = document.querySelector("#notice") as HTMLElement;
  #state: PageState = START;
  readonly #views = new Map<ViewName, View>();
  readonly #place = document.querySelector("#view") as HTMLElement;
  readonly #nav = document.querySelector("#views") as HTMLElement;
  /** The URL as the page wrote it last: its own changes are no news. */
  #written = "";

  constructor(studio: Studio, catalogue: Catalogue) {
    this.studio = studio;
    this.#shipped = catalogue;
    this.#catalogue = catalogue;
    this.#own = new OwnMachineDialog(this, (text, file) => this.#useMachine(text, file));
  }

  get catalogue(): Catalogue {
    return this.#catalogue;
  }

  get state(): PageState {
    return this.#state;
  }

  async start(): Promise<void> {
    addEventListener("hashchange", () => {
      if (location.hash !== this.#written) void this.#read();
    });
    addEventListener("keydown", (event) => this.#key(event));
    // What no view takes isn't for the browser to open in the page's place.
    addEventListener("dragover", (event) => event.preventDefault());
    addEventListener("drop", (event) => this.#drop(event), { capture: true });
    const dialog = keysDialog();
    document.body.append(dialog, this.#own.element);
    document.querySelector("#own")?.addEventListener("click", () => this.#own.open());
    document.querySelector("#help")?.addEventListener("click", () => dialog.showModal());
    await this.#read();
  }

  update(changes: Partial<PageState>, redraw = false): void {
    this.#state = { ...this.#state, ...changes };
    void this.#write();
    if (redraw) this.#show();
  }

  async #read(): Promise<void> {
    const state = await fromHash(location.hash);
    const before = this.#state.own;
    this.#state = state;
    const names = [
      state.setting.machine,
      state.other.machine,
      state.sweep.machine,
      state.trace.machine,
      state.cost.machine,
    ];
    const isNamed = names.includes(OWN_MACHINE);
    this.#tell(
      isNamed && state.own === undefined
        ? "This address is of a machine of somebody's own that was too long for it: another one is shown."
        : "",
    );
    const answer = state.own === before ? undefined : await this.#offer(state.own);
    if (answer && "wrong" in answer) this.#catalogue = this.#shipped;
    this.#show();
    if (state.own !== undefined && answer) this.#own.tell(state.own, answer);
  }

  /** Offers a machine beside those that are here; undefined offers none. */
  async #offer(text: string | undefined, file?: string): Promise<MachineAnswer> {
    const answer = await this.studio.useMachine({ text, file });
    if (!("wrong" in answer)) this.#catalogue = withMachine(this.#shipped, answer);
    return answer;
  }

  /** What was just described is what the view that is open shows next. */
  async #useMachine(text: string | undefined, file?: string): Promise<MachineAnswer> {
    const answer = await this.#offer(text, file);
    if ("wrong" in answer) return answer;
    const fits = text === undefined || (await fitsAddress(text));
    this.#tell(fits ? "" : "Your machine is too long for the address: a link to this page won't have it.");
    const { view, setting, sweep, trace, cost } = this.#state;
    const machine = OWN_MACHINE;
    const chosen: Partial<PageState> =
      view === "sweep"
        ? { sweep: { ...sweep, machine } }
        : view === "trace"
          ? { trace: { ...trace, machine } }
          : view === "cost"
            ? { cost: { ...cost, machine } }
            : { setting: { ...setting, machine }, at: 0 };
    this.update({ own: text, ...(text === undefined ? {} : chosen) }, true);
    return answer;
  }

  #tell(text: string): void {
    this.#notice.textContent = text;
    this.#notice.hidden = text === "";
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

  /** A description is one's own machine wherever it's dropped; anything else is the view's. */
  #drop(event: DragEvent): void {
    event.preventDefault();
    const files = event.dataTransfer?.files;
    if (!/\.(ya?ml|json)$/i.test(files?.[0]?.name ?? "")) return;
    event.stopPropagation();
    void this.#own.take(files as FileList);
  }

  #key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event)) return;
    if (event.key === "?") {
      document.querySelector<HTMLElement>("#help")?.click();
      event.preventDefault();
      return;
    }
    if (event.key === "m") {
      this.#own.open();
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

/** The catalogue with the visitor's own machine at its end. */
function withMachine(catalogue: Catalogue, { machine, unsuited }: OwnMachine): Catalogue {
  if (machine === undefined) return catalogue;
  return {
    ...catalogue,
    machines: [...catalogue.machines, machine],
    stories: catalogue.stories.map((story) => {
      const reason = unsuited[story.name];
      return reason === undefined ? story : { ...story, unsuited: { ...story.unsuited, [machine.name]: reason } };
    }),
  };
}

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
