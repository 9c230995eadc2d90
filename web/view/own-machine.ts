/** A machine of the visitor's own: pasted, dropped, or begun with one that is here; what is wrong with it is shown in its place. */
import type { Questions } from "../protocol.ts";
import { choice, h } from "./dom.ts";
import type { Page } from "./page.ts";

export type MachineAnswer = Questions["machine"]["answer"];

/** Descriptions are some thousand bytes; a file of more is none. */
const MOST_BYTES = 1 << 20;

export class OwnMachineDialog {
  readonly element: HTMLDialogElement;
  readonly #page: Page;
  /** Makes it the page's; undefined takes it away. */
  readonly #use: (text: string | undefined, file?: string) => Promise<MachineAnswer>;
  readonly #begin = h("div");
  readonly #text = h("textarea", {
    spellcheck: "false",
    autocapitalize: "off",
    wrap: "off",
    rows: 18,
    "aria-label": "Description of the machine",
    "aria-describedby": "own-message",
    onkeydown: (event) => this.#key(event as KeyboardEvent),
    oninput: () => {
      this.#file = undefined;
    },
  });
  readonly #pick: HTMLInputElement = h("input", {
    type: "file",
    class: "file",
    "aria-label": "File of a machine",
    accept: ".yaml,.yml,.json",
    onchange: () => void this.#read(this.#pick.files),
  });
  readonly #message = h("div", { id: "own-message", "aria-live": "polite" });
  /** Where the text came from, for messages. */
  #file: string | undefined;

  constructor(page: Page, use: (text: string | undefined, file?: string) => Promise<MachineAnswer>) {
    this.#page = page;
    this.#use = use;
    this.element = h(
      "dialog",
      { class: "own", "aria-labelledby": "own-title" },
      h("h2", { id: "own-title" }, "A machine of your own"),
      h(
        "p",
        {},
        "In YAML or JSON, as docs/machines.md describes it and ",
        h("code", {}, "setway machine import"),
        " writes it. Paste it, drop its file here, or change one of these. It stays on this computer.",
      ),
      h(
        "div",
        { class: "controls wide" },
        this.#begin,
        h("label", { class: "field" }, h("span", {}, "File"), this.#pick),
      ),
      this.#text,
      this.#message,
      h(
        "p",
        { class: "jumps" },
        h("button", { type: "button", class: "primary", onclick: () => void this.#submit() }, "Use it (Ctrl+Enter)"),
        h("button", { type: "button", onclick: () => void this.#remove() }, "Remove"),
        h("button", { type: "button", onclick: () => this.element.close() }, "Close"),
      ),
    );
    this.element.addEventListener("dragover", (event) => event.preventDefault());
    this.element.addEventListener("drop", (event) => {
      event.preventDefault();
      void this.#read(event.dataTransfer?.files ?? null);
    });
  }

  open(): void {
    const { catalogue, state } = this.#page;
    const nothing = { value: "", text: "choose one" };
    const presets = catalogue.machines.filter(({ isOwn }) => !isOwn).map(({ name }) => ({ value: name }));
    this.#begin.replaceChildren(choice("Begin with", [nothing, ...presets], "", (name) => void this.#fill(name)));
    if (state.own !== undefined && this.#text.value === "") this.#text.value = state.own;
    if (!this.element.open) this.element.showModal();
    this.#text.focus();
  }

  /** Reads a description that was dropped somewhere on the page. */
  async take(files: FileList): Promise<void> {
    this.open();
    await this.#read(files);
  }

  /** Shows why a machine can't be used, and the place. */
  tell(text: string, answer: MachineAnswer): void {
    if (!("wrong" in answer)) return;
    this.#text.value = text;
    this.open();
    this.#message.replaceChildren(h("p", { class: "verdict bad", role: "alert" }, answer.wrong));
    if (answer.line === undefined) return;
    const lines = text.split("\n");
    const start = lines.slice(0, answer.line - 1).reduce((sum, line) => sum + line.length + 1, 0);
    const end = start + (lines[answer.line - 1]?.length ?? 0);
    this.#text.setSelectionRange(Math.min(end, start + (answer.column ?? 1) - 1), end);
    this.#text.scrollTop = (this.#text.scrollHeight / lines.length) * Math.max(0, answer.line - 6);
  }

  async #fill(name: string): Promise<void> {
    if (name === "") return;
    this.#text.value = await this.#page.studio.ask("description", { machine: name }).answer;
    this.#file = undefined;
    this.#message.replaceChildren();
  }

  async #read(files: FileList | null): Promise<void> {
    const [file] = files ?? [];
    // The same file, mended, can be chosen again.
    this.#pick.value = "";
    if (file === undefined) return;
    if (file.size > MOST_BYTES) {
      const text = `${file.name} has ${file.size.toLocaleString("en-US")} bytes: that is no description of a machine`;
      this.#message.replaceChildren(h("p", { class: "verdict bad", role: "alert" }, text));
      return;
    }
    this.#text.value = await file.text();
    this.#file = file.name;
    await this.#submit();
  }

  async #submit(): Promise<void> {
    const text = this.#text.value;
    this.#message.replaceChildren();
    this.element.setAttribute("aria-busy", "true");
    const answer = await this.#use(text, this.#file);
    this.element.removeAttribute("aria-busy");
    if ("wrong" in answer) this.tell(text, answer);
    else this.element.close();
  }

  async #remove(): Promise<void> {
    this.#text.value = "";
    this.#message.replaceChildren();
    await this.#use(undefined);
    this.element.close();
  }

  #key(event: KeyboardEvent): void {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) void this.#submit();
  }
}
