/** The choices of one setting: machine, where it is played, and each fix as a switch. */
import type { Catalogue, CatalogueStory, Setting } from "../protocol.ts";
import { choice, h } from "./dom.ts";

/** A setting with the story's own where nothing was chosen. */
export function settingOf(catalogue: Catalogue, chosen: Partial<Setting>): { story: CatalogueStory; setting: Setting } {
  const story =
    catalogue.stories.find(({ name }) => name === chosen.story) ??
    (catalogue.stories.find(({ name }) => name === FIRST_STORY) as CatalogueStory);
  const isMachine = catalogue.machines.some(({ name }) => name === chosen.machine);
  return {
    story,
    setting: {
      story: story.name,
      machine: isMachine ? (chosen.machine as string) : story.machine,
      era: story.eras.find((era) => era === chosen.era) ?? (story.eras[0] as string),
      fixes: chosen.fixes?.filter((fix) => story.fixes.some(([name]) => name === fix)) ?? story.defaults,
    },
  };
}

/** What a visitor sees first: the talk's central bug. */
const FIRST_STORY = "emulated-vga";

const ERA_TEXTS: Readonly<Record<string, string>> = {
  bare: "bare metal",
  none: "a VM, no maintenance at all",
  "3.9": "a VM under KVM of Linux 3.9",
  "4.1": "a VM under KVM of Linux 4.1",
  modern: "a VM under KVM today",
  fwb: "a VM under KVM with FEAT_S2FWB",
};

export function settingControls(
  catalogue: Catalogue,
  story: CatalogueStory,
  setting: Setting,
  change: (changes: Partial<Setting>) => void,
): HTMLElement[] {
  const toggle = (fix: string, on: boolean) =>
    change({
      fixes: story.fixes.map(([name]) => name).filter((name) => (name === fix ? on : setting.fixes.includes(name))),
    });
  return [
    choice(
      "Machine",
      catalogue.machines.map(({ name, title }) => ({
        value: name,
        disabled: story.unsuited[name],
        text: story.unsuited[name] === undefined ? title : `${title} (${story.unsuited[name].replace(`${name} `, "")})`,
      })),
      setting.machine,
      (machine) => change({ machine }),
    ),
    choice(
      "Played on",
      story.eras.map((era) => ({ value: era, text: ERA_TEXTS[era] ?? era })),
      setting.era,
      (era) => change({ era }),
    ),
    h(
      "fieldset",
      { class: "fixes" },
      h("legend", {}, story.fixes.length === 0 ? "No fixes: nothing is wrong" : "Fixes"),
      ...story.fixes.map(([name, what], index) => {
        const box = h("input", {
          type: "checkbox",
          name,
          checked: setting.fixes.includes(name),
          onchange: () => toggle(name, box.checked),
        });
        return h(
          "label",
          { class: "fix" },
          box,
          h("span", {}, h("strong", {}, name), index < 9 && h("kbd", {}, String(index + 1)), h("small", {}, what)),
        );
      }),
    ),
  ];
}
