/** `setway replay --shard k/n`: plays what one part of n machines, processes or jobs has to, and writes what `merge` joins. */
import { SetwayError } from "../engine/errors.ts";
import { createKernel } from "../engine/kernel.ts";
import { type Share, STALE_WALK, WholeMachineNeeded } from "../engine/share.ts";
import type { IntervalReport } from "../report/intervals.ts";
import { reportedHazards } from "../report/json.ts";
import { findingsOf } from "../shard/findings.ts";
import { firstHazards, type PartFile, type PlayFacts, writePart } from "../shard/part-file.ts";
import { planShards, type ShardPlan, wholeMachine } from "../shard/plan.ts";
import { crc32 } from "../trace/crc32.ts";
import { EXIT } from "./exit.ts";
import { enginePlayer, type Player } from "./player.ts";
import { carriesData, describeHazards, type Job, playTrace } from "./replay-trace.ts";
import { checkOutputs, emitContent } from "./result.ts";
import type { ShardOf } from "./shard-of.ts";

/** What the whole result says that isn't found by playing; the same in all parts. */
export interface ReplayFacts extends PlayFacts {
  readonly explained: number;
  readonly perCore: boolean;
  readonly skippedRefs: number;
  readonly warmupRefs: number;
}

/** What a part alone knows. */
export interface ReplayExtra {
  /** The trace as this part's machine calls it. */
  readonly trace: string;
  /** What the records of its first hazards did. */
  readonly operations: Readonly<Record<string, string>>;
  readonly intervals?: readonly IntervalReport[] | undefined;
}

export type ReplayPart = PartFile<ReplayFacts, ReplayExtra>;

export async function replayPart(job: Job & { readonly shard: ShardOf }): Promise<number> {
  const { options, terminal, machine, path } = job;
  const { shard, of } = job.shard;
  if (options.engine !== "kernel")
    throw new SetwayError("usage", "the reference model has no shards", {
      found: "--shard",
      expected: "--engine kernel",
    });
  if (options.part !== undefined) await checkOutputs({ output: [{ kind: "part", path: options.part }] });
  let plan = planShards(machine, of);
  let played: ReplayPart["played"] | "interrupted";
  try {
    played = shard < plan.used ? await playPart(job, plan.shares[shard], plan) : undefined;
  } catch (error) {
    // The other parts don't hear of it, so this one plays everything, and merge prefers it.
    if (!(error instanceof WholeMachineNeeded)) throw error;
    plan = wholeMachine(of, error.message);
    if (path === "-") {
      throw new SetwayError(
        "usage",
        "the trace needs the whole machine in one part, and standard input can't be read again",
        {
          found: error.message,
          expected: "a file",
        },
      );
    }
    played = await playPart(job, undefined, plan);
  }
  if (played === "interrupted") {
    await terminal.stderr.write("interrupted: nothing was written\n");
    return EXIT.INTERRUPTED;
  }
  await emitContent(writePart({ shard, of, ...(played ? { played } : {}) }), options.part ?? "-", terminal);
  if (plan.why !== undefined) {
    const does = played ? "plays" : "has nothing to play";
    await terminal.stderr.write(`note: part ${shard} of ${of} ${does}, ${plan.used} in all: ${plan.why}\n`);
  }
  return EXIT.OK;
}

async function playPart(
  job: Job,
  share: Share | undefined,
  plan: ShardPlan,
): Promise<ReplayPart["played"] | "interrupted"> {
  const { options } = job;
  const { shares: _, ...sharding } = plan;
  let digest = 0;
  const kernels: ReturnType<typeof createKernel>[] = [];
  const replayed = await playTrace(job, plan, async (machine, provenance): Promise<Player> => {
    const kernel = createKernel(machine, { provenance, data: carriesData(provenance, options), share });
    kernels.push(kernel);
    return enginePlayer(kernel, (words) => {
      digest = crc32(new Uint8Array(words.buffer, words.byteOffset, words.byteLength), digest);
    });
  }).catch((error: unknown) => {
    // What stops this part need not stop the whole.
    const [kernel] = kernels;
    throw kernel?.trustsOthers ? new WholeMachineNeeded(kernel.records, STALE_WALK) : error;
  });
  if (replayed.partial) return "interrupted";
  const [kernel] = kernels as [(typeof kernels)[number]];
  const { counted, assessed, intervals, warmupRefs } = replayed;
  const findings = { ...findingsOf(kernel), counters: counted.counters(), records: counted.records };
  const told = { ...findings, hazards: reportedHazards(kernel, assessed) };
  const operations = job.path === "-" ? [] : await describeHazards(job, firstHazards(told, options.hazards));
  return {
    facts: {
      machine: counted.machine,
      sharding,
      carriesData: counted.carriesData,
      notAssessable: counted.notAssessable(),
      provenance: assessed,
      records: kernel.records,
      digest,
      explained: options.hazards,
      perCore: options.perCore === true,
      skippedRefs: options.skipRefs ?? 0,
      warmupRefs,
    },
    findings,
    setGroups: kernel.setGroups(),
    seconds: replayed.seconds,
    extra: { trace: replayed.source.name, operations: Object.fromEntries(operations), intervals },
  };
}
