/** Do films say what the engine says, at every position and whichever way it was reached? */
import { describe, expect, test } from "vitest";
import { loadDescription } from "../../src/machine/index.ts";
import { STORIES } from "../../src/scenario/index.ts";
import { runStory } from "../../src/scenario/run-story.ts";
import type { AnyStory } from "../../src/scenario/story.ts";
import { type Film, type Moment, Projector } from "../../web/film.ts";
import { pairUp } from "../../web/pairing.ts";
import { compileStories } from "../../web/worker/compile.ts";
import { shoot } from "../../web/worker/shoot.ts";

const full = process.env.SETWAY_FULL === "1";

const storyNamed = (name: string) => STORIES.find((story) => story.name === name) as AnyStory;

async function filmOf(name: string, fixes: readonly string[] = []): Promise<Film> {
  const story = storyNamed(name);
  const shot = await shoot(story, { machine: loadDescription(story.machine), fixes });
  if ("skipped" in shot) throw new Error(shot.skipped);
  return shot.film;
}

const plain = ({ lines, control }: Moment) => ({
  lines: lines.map((places) => [...places].sort()),
  control: [...control],
});

describe("a film", () => {
  test.each(full ? ["dma-from-device", "swap-out", "code-loading"] : ["dma-from-device"])(
    "%s: every position is the same however one gets there",
    async (name) => {
      const film = await filmOf(name);
      const forward = new Projector(film);
      const states = [plain(forward.moment)];
      for (let at = 1; at <= film.frames.length; at++) {
        forward.seek(at);
        states.push(plain(forward.moment));
      }
      for (let at = film.frames.length; at >= 0; at--) {
        forward.seek(at);
        expect(plain(forward.moment)).toEqual(states[at]);
      }
      const jumping = new Projector(film);
      for (let n = 0; n < 200; n++) {
        const at = (n * 37) % (film.frames.length + 1);
        jumping.seek(at);
        expect(plain(jumping.moment)).toEqual(states[at]);
      }
    },
  );

  test.each(full ? ["emulated-vga", "set-way-is-local", "pl310-order"] : ["emulated-vga", "pl310-order"])(
    "%s ends as the story's own play does",
    async (name) => {
      const film = await filmOf(name);
      const story = storyNamed(name);
      const played = await runStory(story, {
        machine: loadDescription(story.machine),
        fixes: [],
        trace: true,
        leaveOutIdle: true,
      });
      if (played.skipped !== undefined) throw new Error(played.skipped);
      expect(film.records).toBe(played.records);
      expect(film.frames.reduce((sum, { count }) => sum + count, 0)).toBe(played.records);
      const end = new Projector(film);
      end.seek(film.frames.length);
      const told = played.steps.at(-1)?.after?.lines ?? [];
      const both = film.lines.flatMap(({ address }, line) =>
        told.flatMap((state) => (state.address === address ? [{ line, state }] : [])),
      );
      expect(both.length).toBeGreaterThan(0);
      for (const { line, state } of both) {
        const places = end.moment.lines[line];
        const copies = [...(places ?? [])].flatMap(([place, held]) =>
          place.startsWith("c") ? [`${place} ${held.state}`] : [],
        );
        expect(copies.sort()).toEqual(state.copies.map((copy) => `c${copy.cache} ${copy.state}`).sort());
        expect(places?.get("memory")?.newest).toBe(state.memoryIsNewest);
      }
    },
  );

  test("hazards lie on their frames, and on those of the writes that they missed", async () => {
    const film = await filmOf("dma-to-device");
    const hazard = film.hazards.find(({ class: name }) => name === "stale-dma");
    expect(film.frames[hazard?.frame ?? -1]?.text).toMatch(/^nic device read/);
    expect(film.frames[hazard?.writeFrame ?? -1]?.text).toMatch(/^core 0 store/);
    expect(hazard?.newestAt).toMatch(/^c\d+$/);
  });

  test("arrows come from whoever supplied: memory for a device that doesn't snoop, whatever a cache before it holds", async () => {
    const film = await filmOf("pl310-dma");
    const read = film.frames.find(({ text }) => text.startsWith("dma device read"));
    expect(read?.moves).toMatchObject([{ kind: "DMA", from: "memory" }]);
    const refilled = film.frames.find(({ detail }) => detail.includes("filled from the outer cache"));
    expect(refilled?.moves[0]).toMatchObject({ kind: "fill", from: "outer" });
  });

  test.skipIf(!full)("a long run is filmed in chunks and loses no change", async () => {
    const film = await filmOf("set-way-short-of-poc");
    expect(film.records).toBeGreaterThan(20_000);
    const lines = film.start.map((places) => new Map(Object.entries(places)));
    for (const { changes } of film.frames) {
      for (const { line, place, before, after } of changes) {
        expect(lines[line]?.get(place)?.content ?? -1).toBe(before.content);
        if (after.state === "") lines[line]?.delete(place);
        else lines[line]?.set(place, after);
      }
    }
  });
});

test("two films go in step, and the step that only one has is waited for", async () => {
  const [bug, fixed] = [await filmOf("dma-to-device"), await filmOf("dma-to-device", ["map"])];
  const { pairs, stops } = pairUp(bug, fixed);
  expect(pairs[0]).toEqual({ a: 0, b: 0 });
  expect(pairs.at(-1)).toEqual({ a: bug.frames.length, b: fixed.frames.length });
  expect(stops).toHaveLength(fixed.steps.length);
  const [, mapping, reading] = stops.map((at) => pairs[at]);
  expect(mapping?.a).toBe(reading?.a);
  expect(reading?.b).toBeGreaterThan(mapping?.b ?? 0);
});

describe("code in the page", () => {
  const CODE = `
    import { defineStory, DmaApi as Api } from "setway";
    export default defineStory({
      name: "own", title: "one's own", source: "a test", machine: "rpi4", fixes: {},
      devices: [{ name: "nic", coherent: false }],
      expect: () => ["stale-dma"],
      play(world) {
        const page = world.allocate(4096);
        new Api(world.core(0));
        world.step("writes");
        world.core(0).store(page, 1n);
        world.device("nic").read(page, 8);
      },
    });`;

  test("becomes a story that can be filmed", async () => {
    const [story] = compileStories(CODE);
    const shot = await shoot(story as AnyStory, { machine: loadDescription("rpi4") });
    expect("film" in shot && shot.film.unmet).toEqual([]);
  });

  test.each([
    ["export default 5;", "not a story"],
    ["const a = 1;", "no story"],
    ['import { x } from "fs";\nexport default x;', "no such module"],
    ["const a: number = 1;\nexport default a;", "type annotations"],
  ])("%j is refused with a reason", (code, reason) => {
    expect(() => compileStories(code)).toThrow(reason);
  });
});
