/** Recordings that a story lacks, dropped on the view that shows it or chosen there. */
import type { CatalogueStory } from "../protocol.ts";
import { h } from "./dom.ts";
import type { Page } from "./page.ts";
import { settingOf } from "./setting.ts";

type Take = (file: File) => void;

/** Files dropped anywhere on the view are for the story that it shows. */
export function takeDropped(view: HTMLElement, take: Take): void {
  view.addEventListener("dragover", (event) => event.preventDefault());
  view.addEventListener("drop", (event) => {
    event.preventDefault();
    const [file] = event.dataTransfer?.files ?? [];
    if (file !== undefined) take(file);
  });
}

/** Where a story that can't be played asks for its recording. */
export function recordingField({ traces }: CatalogueStory, take: Take): HTMLElement {
  const field = h("input", {
    type: "file",
    class: "file",
    "aria-label": "Recording",
    onchange: () => {
      const [file] = field.files ?? [];
      if (file !== undefined) take(file);
    },
  });
  return h(
    "label",
    { class: "drop" },
    h("strong", {}, "Drop the recording here"),
    h(
      "span",
      {},
      `${traces.join(" and ")}, or choose its file (.swt, .raw64; .xz, .gz or .zst of either). It stays on this computer.`,
    ),
    field,
  );
}

/** Gives the worker a recording for the story and says as which one it is played; throws where the story has no use for it. */
async function giveRecording({ studio }: Page, { traces }: CatalogueStory, file: File): Promise<string> {
  if (traces.length === 0) {
    throw new Error(`${file.name}: this story plays no recording. Any trace can be played under Trace.`);
  }
  const name = await studio.giveRecording({ file, wanted: traces });
  return `${file.name} is played as the recording ${name}.`;
}

/** What a view does with a file that it is given: `told` says what came of it, `shown` shows the story anew, `failed` says why not. */
export interface Taking {
  readonly view: HTMLElement;
  readonly told: HTMLElement;
  readonly shown: () => void;
  readonly failed: (message: string, story: CatalogueStory) => void;
}

/** A recording is for the story that is shown, whether it lacks one or has another. */
export async function takeRecording(page: Page, file: File, { view, told, shown, failed }: Taking): Promise<void> {
  const { story } = settingOf(page.catalogue, page.state.setting);
  view.setAttribute("aria-busy", "true");
  try {
    const said = await giveRecording(page, story, file);
    shown();
    told.replaceChildren(h("p", { class: "detail" }, said));
  } catch (error) {
    failed((error as Error).message, story);
    view.removeAttribute("aria-busy");
  }
}

/** Whether a story wasn't played because its recording isn't here. */
export const lacksRecording = (reason: string): boolean => /recording/.test(reason);
