/** Does dist/report.schema.json describe what every verb prints as JSON, every key of it? (Needs the build.) */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";
import { HAZARD_CLASSES } from "../../src/engine/hazards.ts";
import { REPORT_SCHEMA } from "../../src/report/published.ts";
import { setway } from "../cli/capture.ts";
import { type Folder, raw64, SMALL_MACHINE, STALE, temporaryFolder } from "../cli/files.ts";

const PATH = fileURLToPath(new URL(`../../${REPORT_SCHEMA}`, import.meta.url));
const FULL = process.env.SETWAY_FULL === "1";
const built = existsSync(PATH);

interface Schema {
  readonly [key: string]: unknown;
  readonly $ref?: string;
  readonly title?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly anyOf?: readonly Schema[];
  readonly $defs?: Readonly<Record<string, Schema>>;
}

/** The same, but a key that isn't described is wrong: the published one stays open for keys of later versions. */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== "object" || schema === null) return schema;
  const inner = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closed(value)]));
  const isObject = inner.type === "object" && "properties" in inner && !("additionalProperties" in inner);
  return isObject ? { ...inner, additionalProperties: false } : inner;
}

const folder: Folder = temporaryFolder();
beforeAll(async () => {
  folder.write("small.yaml", SMALL_MACHINE);
  folder.write("stale.raw64", raw64(...STALE));
  folder.write("guest.sh", "qemu-system-aarch64 -accel kvm -machine virt -cpu host -device VGA\n");
  const replay = ["replay", folder.path("stale.raw64"), "-m", folder.path("small.yaml"), "--every", "2"];
  for (const k of [0, 1]) await setway([...replay, "--shard", `${k}/2`, "--part", folder.path(`${k}.part`)]);
});
afterAll(() => folder.remove());

describe.skipIf(!built)("the published schema", () => {
  const schema = (built ? JSON.parse(readFileSync(PATH, "utf8")) : {}) as Schema;

  /** By the verb that its title names. */
  function validatorOf(verb: string): z.ZodType {
    const own = schema.anyOf?.find(({ title }) => title === `setway ${verb} --json`);
    if (own === undefined) throw new Error(`no schema of ${verb}`);
    const whole = closed({ $schema: schema.$schema, ...own, $defs: schema.$defs });
    return z.fromJSONSchema(whole as Parameters<typeof z.fromJSONSchema>[0]);
  }

  const f = (name: string): string => folder.path(name);
  const cases: readonly (readonly [verb: string, args: () => readonly string[]])[] = [
    ["replay", () => [f("stale.raw64"), "-m", f("small.yaml"), "--per-core", "--every", "2", "--warmup-refs", "1"]],
    ["replay", () => [f("stale.raw64"), "-m", f("small.yaml"), "--misses", f("m.swt"), "--recorded", "none"]],
    ["replay", () => [f("stale.raw64"), "-m", "host-100c", "--yardstick", "--tags-only", "--map-addresses", "pages"]],
    ["replay", () => [f("stale.raw64"), "-m", f("small.yaml"), "--shards", "2", "-o", `perfetto:${f("p.pftrace")}`]],
    ["merge", () => [f("0.part"), f("1.part")]],
    ["run", () => ["set-way-is-local", "--trace"]],
    ["run", () => ["5", "--trace"]],
    ["run", () => ["set-way-is-local", "--on", "juno,rpi4"]],
    ["run --matrix", () => ["set-way-is-local", "--on", "juno"]],
    ["run decompressor", () => ["--machine", "seattle", "--maintenance", "setway"]],
    ["cost", () => ["jit", "--bytes", "64", "--features", "neither"]],
    ["machine list", () => []],
    ["machine show", () => ["altra-2s"]],
    ["machine show", () => [f("small.yaml")]],
    ["machine import", () => [fileURLToPath(new URL("../machine/data/numa-server.dts", import.meta.url))]],
    ["machine export", () => ["juno", "--to", "dts"]],
    ["lint", () => [f("guest.sh")]],
    ["doctor", () => []],
    ["convert", () => [f("stale.raw64"), f("out.swt")]],
    ["explain", () => ["stale-read"]],
    ["explain", () => ["R22"]],
    ["list", () => []],
    ["list", () => ["reports"]],
  ];

  /** Boots, and a guest with page tables: ten seconds. */
  const slow = (verb: string, args: readonly string[]) => verb === "run decompressor" || args[0] === "5";

  it.each(cases.filter(([verb, args]) => FULL || !slow(verb, args())))(
    "describes what %s prints, case %#",
    async (verb, args) => {
      const { stdout, stderr } = await setway([...verb.split(" "), ...args(), "--json"]);
      expect(stdout, stderr).toMatch(/^[{]/);
      const { error } = validatorOf(verb).safeParse(JSON.parse(stdout));
      expect(error?.message).toBe(undefined);
    },
  );

  it("refuses what isn't so", () => {
    const replay = validatorOf("replay");
    expect(replay.safeParse({}).success).toBe(false);
    expect(validatorOf("machine export").safeParse({ machine: "juno", format: "dts", text: 3 }).success).toBe(false);
    expect(validatorOf("machine export").safeParse({ machine: "j", format: "dts", text: "", more: 1 }).success).toBe(
      false,
    );
  });

  it("has every verb that can print JSON, and every hazard class", () => {
    const verbs = schema.anyOf?.map(({ title }) => title);
    expect(new Set(verbs).size).toBe(
      cases.map(([verb]) => verb).filter((verb, i, all) => all.indexOf(verb) === i).length,
    );
    const classes = schema.$defs?.ReplayResult?.properties?.hazards?.properties;
    expect(Object.keys(classes ?? {}).sort()).toEqual(HAZARD_CLASSES.map(({ name }) => name as string).sort());
  });
});
