/** Can every story of the talk be printed without types, and is what is printed the same story? */
import { readdir, readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { STORIES } from "../../src/scenario/index.ts";
import { printed } from "../../web/vite/printed-stories.ts";
import { compileStories } from "../../web/worker/compile.ts";

const FOLDER = "src/scenario/talk";
const files = (await readdir(FOLDER)).filter((name) => /^\d/.test(name));

test.each(files)("%s", async (file) => {
  const text = printed(await readFile(`${FOLDER}/${file}`, "utf8"), `${FOLDER}/${file}`);
  const stories = compileStories(text);
  expect(stories.length).toBeGreaterThan(0);
  for (const { name, title, fixes } of stories) {
    expect(STORIES.find((story) => story.name === name)).toMatchObject({ title, fixes });
  }
  expect(text).not.toMatch(/\bas const\b|\bimport type\b|from "\.\.?\//);
});
