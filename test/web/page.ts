/** The explorer as tests use it: built once from the sources, opened in Debian's Chromium, every error kept. */
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";
import { build } from "vite";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
export const BUILT = `${ROOT}build/web/`;
export const SHOTS = `${ROOT}build/screenshots/`;
const CHROMIUM = "/usr/bin/chromium";

export const hasChromium = existsSync(CHROMIUM);
if (!hasChromium) console.warn(`no ${CHROMIUM}: the explorer isn't opened`);

/** Builds the page, quietly. */
export async function buildExplorer(): Promise<void> {
  await build({ configFile: `${ROOT}web/vite.config.ts`, logLevel: "error" });
  await mkdir(SHOTS, { recursive: true });
}

export interface Visitor {
  readonly page: Page;
  /** What the page complained of. */
  readonly complaints: string[];
  /** Opens a part of the page, and waits until nothing is being played. */
  visit(hash: string): Promise<void>;
  settled(): Promise<void>;
  close(): Promise<void>;
}

export async function openBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
}

export async function visitor(browser: Browser, width = 1280, height = 800): Promise<Visitor> {
  const page = await browser.newPage({ viewport: { width, height } });
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  const settled = async () => {
    await page.waitForFunction("document.querySelector('#view > div') && !document.querySelector('[aria-busy]')");
  };
  return {
    page,
    complaints,
    settled,
    async visit(hash) {
      // A new document each time: a hash alone would be the old page.
      await page.goto("about:blank");
      await page.goto(`${pathToFileURL(`${BUILT}index.html`)}${hash}`);
      await settled();
    },
    close: () => page.close(),
  };
}
