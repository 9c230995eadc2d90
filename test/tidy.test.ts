/** Is the tree still what architecture.md says: floors, names, and a core without dependencies? */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** From the ground up; nobody imports from a later floor. */
const FLOORS: readonly (readonly string[])[] = [
  ["engine"],
  ["machine"],
  ["lint"],
  ["trace"],
  ["cpu"],
  ["hypervisor", "devices", "shard"],
  ["scenario", "cost"],
  ["report"],
  ["cli"],
];

const SOURCES = filesUnder("src").filter((path) => path.endsWith(".ts"));

function filesUnder(folder: string): string[] {
  if (!existsSync(join(ROOT, folder))) return [];
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? filesUnder(`${folder}/${entry.name}`) : [`${folder}/${entry.name}`],
  );
}

interface Import {
  readonly specifier: string;
  readonly typeOnly: boolean;
}

/** Imports and re-exports of a file; dynamic ones too. */
function importsOf(path: string): Import[] {
  const text = readFileSync(join(ROOT, path), "utf8");
  const statements = text.matchAll(/^(?:import|export)\s+(type\s)?[^;"]*?from\s+"([^"]+)"|^import\s+"([^"]+)"/gm);
  const dynamic = text.matchAll(/import\("([^"]+)"\)/g);
  return [
    ...[...statements].map((match) => ({
      specifier: (match[2] ?? match[3]) as string,
      typeOnly: match[1] !== undefined,
    })),
    ...[...dynamic].map((match) => ({ specifier: match[1] as string, typeOnly: false })),
  ];
}

const resolved = (path: string, specifier: string): string => normalize(join(dirname(path), specifier));

function floorOf(path: string): number {
  const folder = path.split("/")[1] ?? "";
  return FLOORS.findIndex((floor) => floor.includes(folder));
}

describe("floors", () => {
  it.each(SOURCES.filter((path) => path !== "src/index.ts"))("%s imports nothing from a floor above", (path) => {
    const floor = floorOf(path);
    expect(floor, `${path} stands on no floor`).toBeGreaterThanOrEqual(0);
    const above = importsOf(path)
      .filter(({ specifier, typeOnly }) => specifier.startsWith(".") && !isResolvedMachine(path, specifier, typeOnly))
      .map(({ specifier }) => resolved(path, specifier))
      .filter((target) => floorOf(target) > floor);
    expect(above).toEqual([]);
  });

  /** What both engines read: types of plain numbers, declared where they are made. */
  function isResolvedMachine(path: string, specifier: string, typeOnly: boolean): boolean {
    return typeOnly && resolved(path, specifier) === "src/machine/resolved.ts";
  }
});

describe("platforms", () => {
  it.each(SOURCES.filter((path) => !path.endsWith(".node.ts") && !path.startsWith("src/cli/")))(
    "%s runs in a browser too: it imports nothing of Node",
    (path) => {
      expect(importsOf(path).filter(({ specifier }) => specifier.startsWith("node:"))).toEqual([]);
    },
  );
});

describe("the core", () => {
  it("that src/index.ts reaches depends on no package", () => {
    const seen = new Set<string>();
    const packages: string[] = [];
    const visit = (path: string) => {
      if (seen.has(path)) return;
      seen.add(path);
      for (const { specifier, typeOnly } of importsOf(path)) {
        if (typeOnly) continue;
        if (!specifier.startsWith(".")) packages.push(`${path}: ${specifier}`);
        else visit(resolved(path, specifier));
      }
    };
    visit("src/index.ts");
    expect(packages).toEqual([]);
    expect(seen.size).toBeGreaterThan(5);
  });
});

describe("names", () => {
  const files = ["src", "assembly", "test", "scripts", "bench"].flatMap(filesUnder);

  it("say what is inside", () => {
    expect(files.filter((path) => /(^|\/)(utils?|helpers?|common|misc)[./]/.test(path))).toEqual([]);
  });

  it("of folders are at most three deep", () => {
    expect(files.filter((path) => path.split("/").length > 4)).toEqual([]);
  });

  const written = [...SOURCES, ...filesUnder("assembly").filter((path) => path.endsWith(".ts"))];
  it.each(written.filter((path) => !path.endsWith("-binary.ts")))("%s opens by saying what lives there", (path) => {
    const text = readFileSync(join(ROOT, path), "utf8").replace(/^#!.*\n/, "");
    expect(text).toMatch(path.startsWith("assembly/") ? /^\/\// : /^\/\*\*/);
  });
});
