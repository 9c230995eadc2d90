/** Plays shared among kernels that own disjoint set groups (R49); in Node, `threadTeam` of threads.node.ts has them in threads. */
export { WholeMachineNeeded } from "../engine/share.ts";
export { addUp, type Findings } from "./findings.ts";
export { commonIndexBits, planShards, type Sharding, type ShardPlan, wholeMachine } from "./plan.ts";
export { type ShardedOptions, ShardedPlay } from "./play.ts";
export { ShardError, type Team, type TeamFactory } from "./team.ts";
export { ownThread, type ShardWorker, startInBrowser, workerTeam } from "./workers.web.ts";
