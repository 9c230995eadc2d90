/**
 * Does the packed tarball, installed as users install it, work wherever they run it: in later Nodes, Deno and Bun, in a
 * plain page, and in pages that esbuild, Vite and webpack make without settings? With SETWAY_FULL=1; what can't be had is
 * skipped, with the reason.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";
import { build as esbuild } from "esbuild";
import { type Browser, chromium } from "playwright-core";
import { build as viteBuild } from "vite";
import { afterAll, beforeAll, describe, expect, it, type TestContext } from "vitest";
import { EXAMPLES, isBuilt, type Packed, type Project, pack, README_SAYS, ROOT, readmeProgram } from "./packed.ts";

const full = process.env.SETWAY_FULL === "1";
const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";

/** Installs packages into a project; the reason why not, otherwise. */
function install({ folder }: Project, ...packages: string[]): string | undefined {
  const args = ["install", "--no-audit", "--no-fund", ...packages];
  const options = { cwd: folder, encoding: "utf8", timeout: 300_000, shell: process.platform === "win32" } as const;
  const { status, stderr } = spawnSync("npm", args, options);
  return status === 0 ? undefined : `npm can't install ${packages.join(" and ")}: ${stderr.trim().slice(-200)}`;
}

/** The README's program for a page: what it would log stands in the page. */
const pageProgram = () => `
  const said = [];
  console.log = (explanation) => said.push(JSON.stringify(explanation));
  ${readmeProgram()}
  document.getElementById("said").textContent = said.join("\\n");`;

const pageWith = (script: string) =>
  `<!doctype html><title>setway</title><pre id="said"></pre><script type="module" src="${script}"></script>`;

const TYPES: Readonly<Record<string, string>> = { ".html": "text/html", ".js": "text/javascript" };

/** Serves a folder's files, and nothing clever. */
async function serve(folder: string): Promise<{ readonly address: string; readonly server: Server }> {
  const server = createServer((request, response) => {
    const path = normalize(join(folder, decodeURIComponent(new URL(request.url ?? "/", "http://localhost").pathname)));
    if (!path.startsWith(folder) || !existsSync(path)) return void response.writeHead(404).end();
    response.writeHead(200, { "content-type": TYPES[extname(path)] ?? "application/octet-stream" });
    response.end(readFileSync(path));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
}

describe.skipIf(!full || !isBuilt)("installed from the tarball", () => {
  let packed: Packed;
  let project: Project;
  let whyNot: string | undefined;

  beforeAll(() => {
    packed = pack();
    project = packed.project();
    whyNot = install(project, packed.tarball);
    project.write("readme.mjs", readmeProgram());
  }, 300_000);
  afterAll(() => packed?.remove());

  const needProject = (context: TestContext) => {
    if (whyNot !== undefined) context.skip(whyNot);
  };

  /** The README's code, and every example. */
  function expectToRun(program: string, before: readonly string[] = []): void {
    const { status, stdout, stderr } = project.run([...before, "readme.mjs"], program);
    expect({ status, stderr }).toMatchObject({ status: 0 });
    for (const said of README_SAYS) expect(stdout).toContain(said);
    for (const name of EXAMPLES) {
      const ran = project.run([...before, `node_modules/setway/examples/${name}`], program);
      expect({ name, ...ran }).toMatchObject({ name, status: 0 });
      expect(ran.stdout.trim()).not.toBe("");
    }
  }

  it("runs in this Node, and its command is found", (context) => {
    needProject(context);
    expectToRun(process.execPath);
    const { status, stdout } = project.run(["explain", "R22"], join(project.folder, "node_modules/.bin/setway"));
    expect(stdout).toContain("R22 Maintenance by set/way");
    expect(status).toBe(0);
  });

  const ownNode = `node-${process.platform}-${process.arch}`;
  const RUNTIMES: readonly (readonly [string, string, string, readonly string[]])[] = [
    ["Node 22", `${ownNode}@22`, `${ownNode}/bin/node`, []],
    ["Node 24", `${ownNode}@24`, `${ownNode}/bin/node`, []],
    ["Deno", "deno", ".bin/deno", ["run", "--quiet", "--allow-all", "--node-modules-dir=manual"]],
    ["Bun", "bun", ".bin/bun", ["run"]],
  ];
  for (const [name, spec, binary, before] of RUNTIMES) {
    it(`runs in ${name}`, (context) => {
      needProject(context);
      const runtime = packed.project();
      const missing = install(runtime, spec);
      if (missing !== undefined) context.skip(missing);
      expectToRun(join(runtime.folder, "node_modules", binary), before);
    });
  }

  it("has types that compile, whichever way modules are resolved", (context) => {
    needProject(context);
    project.write(
      "use.ts",
      `${readmeProgram()}
       import { openTrace, type TraceSource } from "setway/trace";
       import { runStory, STORIES } from "setway/scenario";
       import * as everything from "setway/browser";
       export const fetched: Promise<TraceSource> = openTrace(new URL("https://example.org/boot.swt"));
       export const bytes: Promise<TraceSource> = openTrace(new Uint8Array(8), { format: "raw64" });
       export const stories: readonly string[] = STORIES.map(({ name }) => name);
       export const same: typeof runStory = everything.runStory;`,
    );
    const tsc = join(ROOT, "node_modules/typescript/bin/tsc");
    const ways = [
      ["nodenext", "nodenext"],
      ["esnext", "bundler"],
    ] as const;
    for (const [module, resolution] of ways) {
      const compilerOptions = {
        noEmit: true,
        strict: true,
        target: "es2022",
        lib: ["es2023", "dom"],
        types: [],
        module,
        moduleResolution: resolution,
      };
      project.write("tsconfig.json", JSON.stringify({ compilerOptions, files: ["use.ts"] }));
      expect({ module, stdout: project.run([tsc, "-p", "."]).stdout }).toEqual({ module, stdout: "" });
    }
  });

  describe.skipIf(!existsSync(CHROMIUM))("in a page", () => {
    let browser: Browser;
    beforeAll(async () => {
      browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
    });
    afterAll(() => browser?.close());

    /** Opens a page of the project and expects what the README's code says, and no complaint. */
    async function expectPage(path: string): Promise<void> {
      const { address, server } = await serve(project.folder);
      const page = await browser.newPage();
      const complaints: string[] = [];
      page.on("pageerror", (error) => complaints.push(error.message));
      page.on("requestfailed", (request) => complaints.push(request.url()));
      page.on("response", (response) => {
        if (!response.ok() && !response.url().endsWith("favicon.ico")) complaints.push(response.url());
      });
      try {
        await page.goto(`${address}/${path}`);
        await page.waitForFunction(() => document.getElementById("said")?.textContent !== "", undefined, {
          timeout: 20_000,
        });
        const said = await page.textContent("#said");
        for (const words of README_SAYS) expect(said).toContain(words);
      } finally {
        await page.close();
        server.close();
        expect(complaints).toEqual([]);
      }
    }

    it("without any tool: the example's page", () => expectPage("node_modules/setway/examples/page.html"));

    it("without any tool: the core alone, module by module", async () => {
      const names = "createKernel, explainHazard, load, records, sctlr, store";
      const machine = `import { loadMachine } from "./node_modules/setway/dist/browser/setway.js";`;
      const core = `import { ${names} } from "./node_modules/setway/dist/index.js"; ${machine}`;
      project.write("core.js", pageProgram().replace(/import [\s\S]*?from "setway\/machine";/, core));
      project.write("core.html", pageWith("./core.js"));
      await expectPage("core.html");
    });

    it("by esbuild", async (context) => {
      needProject(context);
      project.write("entry.js", pageProgram());
      const entry = join(project.folder, "entry.js");
      await esbuild({ entryPoints: [entry], bundle: true, format: "esm", outfile: join(project.folder, "esbuilt.js") });
      project.write("esbuilt.html", pageWith("./esbuilt.js"));
      await expectPage("esbuilt.html");
    });

    it("by Vite", async (context) => {
      needProject(context);
      project.write("entry.js", pageProgram());
      project.write("index.html", pageWith("./entry.js"));
      await viteBuild({ root: project.folder, configFile: false, logLevel: "error", base: "./" });
      await expectPage("dist/index.html");
    });

    it("by webpack", async (context) => {
      needProject(context);
      const missing = install(project, "webpack", "webpack-cli");
      if (missing !== undefined) context.skip(missing);
      project.write("entry.js", pageProgram());
      const webpack = join(project.folder, "node_modules/webpack/bin/webpack.js");
      const { status, stdout } = project.run([webpack, "./entry.js", "--mode", "production", "-o", "packed"]);
      expect({ status, stdout }).toMatchObject({ status: 0 });
      expect(stdout).not.toContain("ERROR");
      project.write("packed.html", pageWith("./packed/main.js"));
      await expectPage("packed.html");
    });
  });
});
