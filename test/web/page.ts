/** The explorer as tests use it: built once from the sources, opened in Debian's Chromium, every error kept. */
import { existsSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";
import { build } from "vite";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
export const BUILT = `${ROOT}build/web/`;
export const SHOTS = `${ROOT}build/screenshots/`;
const CHROMIUM = "/usr/bin/chromium";

/** A recording of millions of records takes its time on a busy machine. */
const PLAY_MS = 600_000;

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

/** The built page as any file server gives it: no headers of its own. */
export async function serve(): Promise<{ readonly url: string; close(): void }> {
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? "/", "http://localhost").pathname;
    readFile(`${BUILT}${path.slice(1)}`).then(
      (bytes) => response.writeHead(200, { "content-type": typeOf(path) }).end(bytes),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/`, close: () => server.close() };
}

const typeOf = (path: string): string =>
  path.endsWith(".html") ? "text/html" : path.endsWith(".js") ? "text/javascript" : "application/octet-stream";

export async function openBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
}

export async function visitor(browser: Browser, base: string, width = 1280, height = 800): Promise<Visitor> {
  const page = await browser.newPage({ viewport: { width, height } });
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  const settled = async () => {
    const isSettled = "document.querySelector('#view > div') && !document.querySelector('[aria-busy]')";
    await page.waitForFunction(isSettled, undefined, { timeout: PLAY_MS });
  };
  return {
    page,
    complaints,
    settled,
    async visit(hash) {
      // A new document each time: a hash alone would be the old page.
      await page.goto("about:blank");
      await page.goto(`${base}index.html${hash}`);
      await settled();
    },
    close: () => page.close(),
  };
}
