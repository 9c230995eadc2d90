// Plays one of the stories that come with setway, as it is and mended.
import { loadDescription } from "setway/machine";
import { runStory, STORIES } from "setway/scenario";

const story = STORIES.find(({ name }) => name === "dma-from-device");
for (const fixes of [[], Object.keys(story.fixes)]) {
  const { hazards } = await runStory(story, { machine: loadDescription(story.machine), fixes });
  console.log(fixes.join(" and ") || "no fix", "->", hazards.map((hazard) => hazard.class).join(", ") || "clean");
}
