/** Do the files for Slurm, Kubernetes and GNU parallel play parts and join them? Their commands are run here as those would run them. */
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, readFileSync } from "node:fs";
import { delimiter } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { setway } from "../cli/capture.ts";
import { type Folder, raw64, SMALL_MACHINE, STALE, temporaryFolder } from "../cli/files.ts";

const PROGRAM = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
const EXAMPLES = fileURLToPath(new URL("../../examples/shards/", import.meta.url));
const FULL = process.env.SETWAY_FULL === "1";
const HAS_PARALLEL = spawnSync("parallel", ["--version"]).status === 0;

let folder: Folder;
let whole: string;
beforeAll(async () => {
  folder = temporaryFolder();
  const machine = folder.write("small.yaml", SMALL_MACHINE);
  const trace = folder.path("boot.swt");
  await setway(["convert", folder.write("boot.raw64", raw64(...STALE)), trace]);
  chmodSync(folder.write("setway", `#!/bin/sh\nexec "${process.execPath}" "${PROGRAM}" "$@"\n`), 0o755);
  // Says what it would run, instead of running it.
  chmodSync(folder.write("sbatch", '#!/bin/sh\nfor each in "$@"; do echo "$each"; done >> submitted\n'), 0o755);
  whole = found((await setway(["replay", trace, "-m", machine, "--json"])).stdout);
});
afterAll(() => folder.remove());

function found(json: string): string {
  const { seconds: _, refsPerSecond: __, trace: ___, ...rest } = JSON.parse(json);
  return JSON.stringify(rest);
}

function run(command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): string {
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd: folder.path("."),
    env: { ...process.env, PATH: `${folder.path(".")}${delimiter}${process.env.PATH}`, ...env },
    encoding: "utf8",
  });
  expect({ status, stderr }).toMatchObject({ status: 0 });
  return stdout;
}

describe.skipIf(!existsSync(PROGRAM))("files for schedulers (the built package; npm run build)", () => {
  it("Slurm: the tasks of an array, and the job that its first one submits", () => {
    for (const task of ["3", "4"]) {
      run("sh", [`${EXAMPLES}slurm.sh`, "boot.swt", "small.yaml"], {
        SLURM_ARRAY_JOB_ID: "7",
        SLURM_ARRAY_TASK_ID: task,
        SLURM_ARRAY_TASK_COUNT: "2",
        SLURM_ARRAY_TASK_MIN: "3",
      });
    }
    const submitted = readFileSync(folder.path("submitted"), "utf8").trim().split("\n");
    expect(submitted).toContain("--dependency=afterok:7");
    run("sh", ["-c", (submitted.at(-1) as string).replace("--wrap=", "")]);
    expect(found(readFileSync(folder.path("result.json"), "utf8"))).toBe(whole);
  });

  it.skipIf(!HAS_PARALLEL)("GNU parallel (where it is installed)", () => {
    expect(found(run("sh", [`${EXAMPLES}parallel.sh`, "boot.swt", "small.yaml", "2"]))).toBe(whole);
  });

  it.skipIf(!FULL)("Kubernetes: the pods of an indexed job, and the job that joins them (SETWAY_FULL=1)", () => {
    const documents = parseAllDocuments(readFileSync(`${EXAMPLES}kubernetes.yaml`, "utf8"));
    const jobs = documents.map((each) => each.toJS()).filter(({ kind }) => kind === "Job");
    const [parts, merge] = jobs.map(({ spec }) => spec);
    expect(parts).toMatchObject({ completionMode: "Indexed", completions: 8 });
    const commandOf = (spec: typeof parts) => {
      const [{ command, args }] = spec.template.spec.containers;
      expect(command).toEqual(["sh", "-c"]);
      return ["-c", ...args].map((word: string) => word.replace("host-100c", "small.yaml"));
    };
    for (let index = 0; index < parts.completions; index++) {
      run("sh", commandOf(parts), { JOB_COMPLETION_INDEX: String(index) });
    }
    run("sh", commandOf(merge));
    expect(found(readFileSync(folder.path("result.json"), "utf8"))).toBe(whole);
  });
});
