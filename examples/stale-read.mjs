// A write stays in the cache, the caches go off, a read sees memory: setway says why, and what would have helped.
import { createKernel, explainHazard, load, records, sctlr, store } from "setway";
import { loadMachine } from "setway/machine";

const engine = createKernel(loadMachine("seattle"));
engine.play(records(store(0, 0x1000), sctlr(0, "I"), load(0, 0x1000)));
for (const hazard of engine.hazards()) console.log(explainHazard(hazard, engine.machine));
