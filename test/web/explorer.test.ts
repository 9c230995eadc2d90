/** Does the explorer, as it is built, show in a browser what the stories promise? */
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import axe from "axe-core";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TRACE_PLACES } from "../../src/cli/trace-shelf.ts";
import { records, store } from "../../src/engine/record.ts";
import { loadMachine } from "../../src/machine/index.ts";
import { STORIES } from "../../src/scenario/index.ts";
import { type AnyStory, demandOf, kindOf } from "../../src/scenario/story.ts";
import { traitsOf } from "../../src/scenario/traits.ts";
import { drmemtrace, footer, header, instruction, read, zip } from "../trace/foreign.ts";
import { BUILT, buildExplorer, hasChromium, openBrowser, SHOTS, serve, type Visitor, visitor } from "./page.ts";

const full = process.env.SETWAY_FULL === "1";
const DAILY = ["emulated-vga", "dma-from-device"];
/** A look at every part costs more than a daily run has. */
const fully = test.skipIf(!full);
/** Recordings that aren't beside the page: their stories say so and are left at that. */
const recordings = (story: AnyStory) =>
  (story.traces ?? []).every((name) => existsSync(new URL(`../../traces/${name}.swt`, import.meta.url)));

function fileOf(recording: string): string | undefined {
  return TRACE_PLACES.flatMap(({ folder, endings }) =>
    endings.map((ending) => fileURLToPath(new URL(`${recording}${ending}`, folder))),
  ).find((file) => existsSync(file));
}

describe.skipIf(!hasChromium)("explorer", () => {
  let browser: Browser;
  let one: Visitor;
  let server: { readonly url: string; close(): void };

  beforeAll(async () => {
    await buildExplorer();
    server = await serve();
    browser = await openBrowser();
    one = await visitor(browser, server.url);
  });
  afterAll(async () => {
    await browser?.close();
    server?.close();
  });

  test("the page weighs less than 400 KiB compressed, kernel and all", async () => {
    const files = (await readdir(BUILT)).filter((name) => /\.(html|js|css|wasm)$/.test(name));
    const sizes = await Promise.all(files.map(async (name) => gzipSync(await readFile(`${BUILT}${name}`)).length));
    expect(files).toContain("index.html");
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(400 * 1024);
  });

  const stories = STORIES.filter((story) => (full ? recordings(story) : DAILY.includes(story.name)));
  test.each(stories.map((story) => [story.name, story] as const))(
    "%s opens, steps both ways, shows its hazards, and a fix clears them",
    async (name, story) => {
      const { page } = one;
      await one.visit(`#story?story=${name}`);
      const verdict = () => page.locator(".story .verdict").first();
      const found = async () => ((await verdict().getAttribute("data-found")) ?? "").split(" ").filter(Boolean);
      const unmet = () => page.locator(".story .verdict .unmet").count();
      expect(await unmet()).toBe(0);
      const shown = await found();

      const count = async () => (await page.locator(".count").first().textContent()) ?? "";
      const length = Number((await count()).split("/")[1]?.replaceAll(",", ""));
      const state = () =>
        page
          .locator(".map")
          .first()
          .evaluate((map) => (map as { textContent: string | null }).textContent);
      if (length > 1) {
        await page.keyboard.press("Home");
        const first = await state();
        await page.keyboard.press("ArrowRight");
        const second = await state();
        await page.keyboard.press("ArrowRight");
        await page.keyboard.press("ArrowLeft");
        expect(await state()).toBe(second);
        await page.keyboard.press("ArrowLeft");
        expect(await state()).toBe(first);
        await page.keyboard.press("End");
        expect(await count()).toMatch(new RegExp(`^${length.toLocaleString("en-US")} /`));
      }
      if (shown.length > 0) {
        expect(await page.locator(".hazard").count()).toBeGreaterThan(0);
        await page.keyboard.press("h");
      }
      if (shown.length === 0 || (story.traces ?? []).length > 0) return;

      const cure = cureOf(story);
      expect(cure).toBeDefined();
      for (const fix of cure ?? []) {
        await page.locator(`.fix input[name="${fix}"]`).check();
        await one.settled();
      }
      expect(await found()).toEqual([]);
      expect(await unmet()).toBe(0);
      expect(one.complaints).toEqual([]);
    },
  );

  test("a line's bytes, and which of them are old, fit a screen and a telephone", async () => {
    const { page } = one;
    await one.visit("#story?story=swap-out");
    for (const [width, height] of [
      [390, 844],
      [1280, 800],
    ] as const) {
      await page.setViewportSize({ width, height });
      expect(await page.locator(".line-bytes .unmet").count()).toBeGreaterThan(0);
      const cut =
        "(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)(document.querySelector('.line-bytes .scroll'))";
      expect(await page.evaluate(cut)).toBe(0);
    }
  });

  test("it works from a folder, without a server", async () => {
    const other = await visitor(browser, pathToFileURL(BUILT).href);
    await other.visit("#story?story=mailbox-caches-off");
    expect(await other.page.locator(".story .verdict").getAttribute("data-found")).toBe("stale-read");
    expect(other.complaints).toEqual([]);
    await other.close();
  });

  test("a shared address brings back story, machine, fixes and position", async () => {
    const { page } = one;
    await one.visit("#story?story=swap-out&machine=graviton3&era=fwb&fixes=flush-at-map&at=7");
    expect(await page.locator(".count").first().textContent()).toMatch(/^7 \//);
    expect(
      await page
        .locator(".controls select")
        .evaluateAll((all) => all.map((each) => (each as unknown as { value: string }).value)),
    ).toEqual(["swap-out", "graviton3", "fwb"]);
    await page.keyboard.press("ArrowRight");
    await page.waitForFunction("location.hash.includes('at=8')");
    expect(await page.evaluate("location.hash")).toContain("fixes=flush-at-map");
  });

  test("a machine of one's own is played, and is in the address as long as it fits", async () => {
    const { page } = one;
    const text = page.locator(".own textarea");
    const machine = page.locator(".story .controls select").nth(1);
    await one.visit("#story?story=dma-to-device");
    await page.keyboard.press("m");
    await page.locator(".own select").selectOption("rpi4");
    await page.waitForFunction("document.querySelector('.own textarea').value.includes('name: rpi4')");
    const description = (await text.inputValue()).replace("name: rpi4", "name: my-board");

    await text.fill(description.replace("ways:", "wayz:"));
    await page.getByRole("button", { name: /^Use it/ }).click();
    await page.locator(".own [role=alert]", { hasText: /line \d+, column \d+, .*did you mean ways/ }).waitFor();
    const chosen = "(({ value, selectionStart, selectionEnd }) => value.slice(selectionStart, selectionEnd))";
    expect(await page.evaluate(`${chosen}(document.querySelector(".own textarea"))`)).toMatch(/^wayz:/);
    expect(await violationsOf(page)).toEqual([]);

    await drop(page, ".story", "my-board.yaml", description);
    await page.waitForFunction("!document.querySelector('dialog[open]')");
    await one.settled();
    expect(await machine.locator("option:checked").textContent()).toBe("my-board (your own)");
    expect(await page.locator(".story .verdict").getAttribute("data-found")).toBe("stale-dma");
    await page.waitForFunction("location.hash.includes('machine=own') && location.hash.includes('own=')");
    await one.visit((await page.evaluate("location.hash")) as string);
    expect(await machine.locator("option:checked").textContent()).toBe("my-board (your own)");
  });

  fully("a machine that is too long for the address says so, there and where it's opened", async () => {
    const { page } = one;
    await one.visit("#story?story=dma-to-device");
    await page.keyboard.press("m");
    await page.locator(".own select").selectOption("rpi4");
    const text = page.locator(".own textarea");
    await page.waitForFunction("document.querySelector('.own textarea').value.includes('name: rpi4')");
    // Text that doesn't compress.
    const words = Array.from({ length: 3000 }, (_, i) => Math.imul(i + 1, 2654435761) >>> 0);
    await text.fill(`${await text.inputValue()}\n# ${words.join(" ")}\n`);
    await text.press("Control+Enter");
    await page.locator("#notice", { hasText: "too long for the address" }).waitFor();
    expect(await page.evaluate("location.hash")).not.toContain("own=");
    await one.visit((await page.evaluate("location.hash")) as string);
    expect(await page.locator("#notice").textContent()).toContain("another one is shown");
    expect(await page.locator(".story .controls select").nth(1).inputValue()).not.toBe("own");
  });

  fully("a trace is played again on one's own machine, and a stopped worker still knows it", async () => {
    const { page } = one;
    await one.visit("#trace?story=set-way-is-local");
    await page.setInputFiles(".trace input[type=file]", { name: "a.raw64", mimeType: "", buffer: accesses(20_000) });
    await page.locator(".heat .summary table").waitFor();
    await page.keyboard.press("m");
    await page.locator(".own select").selectOption("host-100c");
    await page.waitForFunction("document.querySelector('.own textarea').value !== ''");
    const text = page.locator(".own textarea");
    await text.fill((await text.inputValue()).replace("name: host-100c", "name: mine"));
    await text.press("Control+Enter");
    await page.locator(".heat .summary", { hasText: "on mine: 20,000 records" }).waitFor();
    await page.keyboard.press("Shift+S");
    await one.settled();
    await page.locator(".story .controls select").nth(1).selectOption("own");
    await one.settled();
    await page.keyboard.press("c");
    await page.getByRole("button", { name: "Stop" }).click();
    await page.locator(".fix input").first().click();
    await one.settled();
    expect(await page.locator(".story .verdict").getAttribute("data-found")).not.toBe(null);
  });

  fully("the comparison shows the bug beside its fix, in step", async () => {
    const { page } = one;
    await one.visit("#compare?story=dma-to-device");
    const found = await page
      .locator(".pane .verdict")
      .evaluateAll((all) => all.map((each) => each.getAttribute("data-found")));
    expect(found).toEqual(["stale-dma", ""]);
    await page.keyboard.press("Home");
    await page.keyboard.press("]");
    const steps = await page.locator(".pane .step").allTextContents();
    expect(steps).toEqual(["the CPU fills the buffer", "the CPU fills the buffer"]);
  });

  test("a story's code can be changed and run in the page", async () => {
    const { page } = one;
    await one.visit("#story?story=dma-to-device");
    await page.keyboard.press("c");
    const text = page.locator(".code textarea");
    await page.waitForFunction("document.querySelector('.code textarea').value.includes('defineStory')");
    const code = await text.inputValue();
    expect(code).toContain("// setway run dma-to-device");
    expect(code).toContain('from "setway"');
    await text.fill(code.replace("a device reads a buffer that the CPU has just filled", "an edited story"));
    await page.getByRole("button", { name: /^Run/ }).click();
    await page.waitForFunction("document.querySelector('.stage h2').textContent === 'an edited story'");
    expect(await page.locator(".story .verdict").getAttribute("data-found")).toBe("stale-dma");
    await page.waitForFunction("location.hash.includes('code=')");
    await text.fill("export default defineStory({ nonsense");
    await page.getByRole("button", { name: /^Run/ }).click();
    await page.locator(".story.failed [role=alert]").waitFor();
    expect(await page.locator("[role=alert]").textContent()).toContain("can't be run");
  });

  test("a story without its recording says so, and refuses what is none", async () => {
    const { page } = one;
    await one.visit("#story?story=secondary-cores");
    expect(await page.locator(".story .verdict").textContent()).toContain("isn't here");
    const file = { name: "smp4-boot9M.raw64", mimeType: "", buffer: Buffer.from("abc") };
    await page.setInputFiles(".story input[type=file]", file);
    await page.locator(".story .verdict", { hasText: "found" }).waitFor();
    const archives = { "boot.zip": Buffer.from(zip({ "boot.din": DINERO })), "boot.tar": tarOf("boot.swt") };
    for (const [name, buffer] of Object.entries(archives)) {
      await page.setInputFiles(".story input[type=file]", { name, mimeType: "", buffer });
      const said = page.locator(".story .verdict", { hasText: `${name}` });
      await said.waitFor();
      expect(await said.textContent()).toMatch(/(zip|tar) archive.*unpack it first/);
    }
  });

  test("a recording that was dropped is played by its story, whatever its name", async () => {
    const { page } = one;
    await one.visit("#story?story=secondary-cores");
    const file = { name: "my-boot.raw64", mimeType: "", buffer: Buffer.from(records(store(0, 0x4000_0000)).buffer) };
    await page.setInputFiles(".story input[type=file]", file);
    await page.locator(".story .detail", { hasText: "played as the recording smp4-boot9M" }).waitFor();
    await one.settled();
    expect(await page.locator(".story .verdict").getAttribute("data-found")).toBe("");
    expect(await page.locator(".step, .steps li").first().textContent()).toContain("2 records");
    // A worker that starts afresh has it too.
    await page.keyboard.press("c");
    await page.getByRole("button", { name: "Stop" }).click();
    await page.locator(".fix input").first().click();
    await one.settled();
    expect(await page.locator(".story .verdict").first().getAttribute("data-found")).not.toBe(null);
    // A story without recordings says so, and stays where it is.
    await one.visit("#story?story=dma-to-device");
    await drop(page, ".story", "any.swt", "x");
    await page.locator(".story [role=alert]", { hasText: "plays no recording" }).waitFor();
    expect(await page.locator(".story .verdict").first().getAttribute("data-found")).toBe("stale-dma");
  });

  /** Those that don't ship, where they lie beside the package. */
  const dropped = STORIES.filter((story) => !recordings(story)).flatMap(({ name, traces = [] }) => {
    const files = traces.map(fileOf).filter((file) => file !== undefined);
    return files.length === traces.length ? [[name, files] as const] : [];
  });
  test.skipIf(!full || dropped.length === 0).each(dropped)("%s plays what was dropped on it", async (name, files) => {
    const { page } = one;
    await one.visit(`#story?story=${name}`);
    for (const file of files) {
      await page.setInputFiles(".story input[type=file]", file);
      await page.locator(".story .detail", { hasText: "is played as the recording" }).waitFor();
      await one.settled();
    }
    expect(await page.locator(".story .verdict .unmet").count()).toBe(0);
    expect(await page.locator(".story .verdict").getAttribute("data-found")).not.toBe(null);
    await page.keyboard.press("Home");
    await page.keyboard.press("ArrowRight");
    expect(await page.locator(".count").first().textContent()).toMatch(/^1 \//);
  });

  test("a dropped trace is replayed, and says what it can't tell", async () => {
    const { page } = one;
    await one.visit("#trace");
    await page.setInputFiles(".trace input[type=file]", {
      name: "accesses.raw64",
      mimeType: "",
      buffer: accesses(full ? 1_000_000 : 20_000),
    });
    await page.locator(".heat .summary table").waitFor();
    await one.settled();
    expect(await page.locator(".summary").textContent()).toContain(
      `${(full ? 1_000_000 : 20_000).toLocaleString("en-US")} records`,
    );
    expect(await page.locator(".summary").textContent()).toContain("not assessed");
    await page.setInputFiles(".trace input[type=file]", {
      name: "broken.swt",
      mimeType: "",
      buffer: Buffer.from("setway"),
    });
    await page.locator(".trace [role=alert]").waitFor();
  });

  test("a drmemtrace is replayed from its threads' zip archives, and the map is read with the keyboard", async () => {
    const { page } = one;
    const threads = [1, 2].map((id) => {
      const entries = [...header(id), instruction(0x40_0000), read(0x1000 * id), footer];
      return { name: `${id}.zip`, mimeType: "", buffer: Buffer.from(zip({ "chunk.0000": drmemtrace(entries) })) };
    });
    await one.visit("#trace");
    await page.setViewportSize({ width: 390, height: 844 });
    await page.setInputFiles(".trace input[type=file]", threads);
    await page.locator(".heat .summary", { hasText: ": 4 records" }).waitFor();
    expect(await page.evaluate("document.documentElement.scrollWidth > innerWidth")).toBe(false);
    const tip = page.locator(".heat .detail");
    await page.locator(".heat canvas").focus();
    await page.keyboard.press("ArrowUp");
    expect(await tip.textContent()).toMatch(/^core 0, from record 1: \d+ L1 misses$/);
    await page.keyboard.press("ArrowDown");
    expect(await tip.textContent()).toMatch(/^core 1, /);
    await page.setViewportSize({ width: 1280, height: 800 });
  });

  test("what is told stops where the story's code begins", async () => {
    const { page } = one;
    await one.visit("#story?story=dma-to-device");
    await page.keyboard.press("c");
    await page.locator(".code textarea").scrollIntoViewIfNeeded();
    const overlap =
      "document.querySelector('.telling').getBoundingClientRect().bottom - document.querySelector('.code').getBoundingClientRect().top";
    expect(await page.evaluate(overlap)).toBeLessThanOrEqual(0);
  });

  test("a comparison takes the recording that it lacks", async () => {
    const { page } = one;
    await one.visit("#compare?story=secondary-cores");
    expect(await page.locator(".pane .verdict").first().textContent()).toContain("isn't here");
    const file = { name: "mine.raw64", mimeType: "", buffer: Buffer.from(records(store(0, 0x4000_0000)).buffer) };
    await page.setInputFiles(".compare input[type=file]", file);
    await page.locator(".compare .detail", { hasText: "played as the recording smp4-boot9M" }).waitFor();
    await one.settled();
    expect(await page.locator(".pane .verdict[data-found]").count()).toBe(2);
  });

  fully("a replay can be stopped, and so can a story that never ends", async () => {
    const { page } = one;
    await one.visit("#trace");
    const file = { name: "long.raw64", mimeType: "", buffer: accesses(4_000_000) };
    await page.setInputFiles(".trace input[type=file]", file);
    await page.locator(".heat .summary", { hasText: "still playing" }).waitFor();
    await page.getByRole("button", { name: "Stop" }).click();
    await page.locator(".heat .summary", { hasText: "stopped before the end" }).waitFor();

    await one.visit("#story?story=dma-to-device");
    await page.keyboard.press("c");
    const text = page.locator(".code textarea");
    await page.waitForFunction("document.querySelector('.code textarea').value.includes('defineStory')");
    const code = await text.inputValue();
    await text.fill(code.replaceAll("play(world) {", "play(world) { for (;;) world.core(0).dsb();"));
    await page.getByRole("button", { name: /^Run/ }).click();
    await page.locator(".story[aria-busy]").waitFor();
    await page.getByRole("button", { name: "Stop" }).click();
    await page.locator(".story .verdict", { hasText: "Stopped." }).waitFor();
    await page.getByRole("button", { name: "Back to the original" }).click();
    await page.locator(".story .verdict[data-found=stale-dma]").waitFor();
  });

  fully("set/way ends above the system cache", async () => {
    const { page } = one;
    await one.visit("#sweep?sweep.size=16KiB");
    await page.keyboard.press("End");
    expect(await page.locator(".sweep .detail").textContent()).toContain("256 dirty lines are still above");
    expect(await page.locator(".swept .beyond output").textContent()).toBe("256 dirty");
    await one.visit("#sweep?sweep.size=16KiB&sweep.machine=rpi4");
    await page.keyboard.press("End");
    expect(await page.locator(".sweep .detail").textContent()).toContain("everything is in memory");
  });

  fully("a study becomes a chart and a table", async () => {
    const { page } = one;
    await one.visit("#cost?study=jit&p.bytes=64,256&p.features=neither");
    expect(await page.locator(".chart canvas").count()).toBe(1);
    expect(await page.locator(".costs > .scroll tbody tr").count()).toBe(2);
  });

  const VIEWS = [
    "#story?story=swap-out",
    "#compare?story=dma-to-device",
    "#sweep?sweep.size=16KiB",
    "#trace",
    "#cost?study=jit&p.bytes=64,256",
  ];
  const looks = full
    ? ([
        [1280, 800],
        [390, 844],
      ] as const)
    : ([[390, 844]] as const);
  test.each(
    looks.flatMap(([width, height]) =>
      (full ? VIEWS : VIEWS.slice(0, 1)).map((hash) => [hash, width, height] as const),
    ),
  )("%s at %ix%i is free of accessibility violations", async (hash, width, height) => {
    const { page } = one;
    await page.setViewportSize({ width, height });
    await one.visit(hash);
    expect(await violationsOf(page)).toEqual([]);
    const isWide = await page.evaluate("document.documentElement.scrollWidth > innerWidth");
    expect(isWide).toBe(false);
    await page.screenshot({
      path: `${SHOTS}${hash.replace(/[#?].*?(\w+).*/, "$1")}-${width}.png`,
      fullPage: width < 500,
    });
  });

  test("nothing was said on the console", () => {
    expect(one.complaints).toEqual([]);
  });
});

interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly html: string }[];
}

/** Drops a file on the first element that fits. */
const drop = (page: Visitor["page"], selector: string, name: string, content: string): Promise<unknown> =>
  page.evaluate(`{
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File([${JSON.stringify(content)}], ${JSON.stringify(name)}));
    document.querySelector("${selector}").dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true }));
  }`);

/** What axe says of the page as it stands. */
async function violationsOf(page: Visitor["page"]): Promise<string[]> {
  await page.evaluate(axe.source);
  const found = (await page.evaluate("axe.run().then(({ violations }) => violations)")) as Violation[];
  return found.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
}

/** The smallest variant that the story says is clean on its own machine. */
function cureOf(story: AnyStory): readonly string[] | undefined {
  const machine = traitsOf(loadMachine(story.machine));
  return [...story.variants, ...pairs(Object.keys(story.fixes))]
    .toSorted((a, b) => a.length - b.length)
    .find((fixes) => {
      const has = (fix: string) => fixes.includes(fix);
      const { must } = demandOf(story.expect({ has, era: story.eras[0] as never, machine }));
      return fixes.length > 0 && must.every((name) => kindOf(name) === "latent");
    });
}

const pairs = (fixes: readonly string[]): string[][] =>
  fixes.flatMap((one, at) => fixes.slice(at + 1).map((other) => [one, other]));

const DINERO = new TextEncoder().encode("0 1000\n");

/** An archive of one member, as far as anybody looks at it. */
function tarOf(name: string): Buffer {
  const header = Buffer.alloc(1024);
  header.write(name, 0);
  header.fill(" ", 148, 156);
  const sum = header.subarray(0, 512).reduce((all, byte) => all + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return header;
}

/** A hundred cores that read their own memory and some of everybody's: bare records. */
function accesses(records: number): Buffer {
  const words = new Uint32Array(2 * records);
  let seed = 1;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
  for (let at = 0; at < records; at++) {
    const core = random(100);
    words[2 * at] =
      random(10) === 0 ? 0x10_0000 + random(4096) * 64 : 0x100_0000 + core * 0x10_0000 + random(2048) * 64;
    words[2 * at + 1] = ((core << 24) | ((random(4) === 0 ? 1 : 0) << 16)) >>> 0;
  }
  return Buffer.from(words.buffer);
}
