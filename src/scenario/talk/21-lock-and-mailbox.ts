/** Take the caches away and the cores can't talk: a mailbox, and a lock. */
import { RecordError } from "../../engine/errors.ts";
import { defineStory } from "../story.ts";

const SOURCE =
  "The talk: turning caches off turns off what makes cores coherent with each other. Exclusives and atomics need cacheable " +
  "shareable memory, and messages need the caches that the other one uses (semantics R17).";

const mailbox = defineStory({
  name: "mailbox-caches-off",
  number: 21,
  title: "core 0 with its caches on, core 1 with them off, exchange messages",
  source: SOURCE,
  machine: "seattle",
  needs: ["caches", "two cores"],
  fixes: {
    "by-va": "core 0 cleans its message and invalidates before it reads the answer, by VA",
    "caches-on": "core 1 turns its caches on",
  },
  expect: ({ has }) => (has("by-va") || has("caches-on") ? [] : ["stale-read"]),
  play(world) {
    const [sender, receiver] = [world.core(0), world.core(1)];
    const message = world.allocate(4096);
    const answer = world.allocate(4096);
    const maintain = (operation: "DC_CVAC" | "DC_CIVAC", address: number) => {
      if (!world.has("by-va")) return;
      sender.maintain(operation, address, 8);
      sender.dsb();
    };
    world.step("core 1 runs with its caches as they are to be");
    const on = world.has("caches-on");
    receiver.sctlr({ m: on, c: on, i: on });
    sender.load(answer);
    world.step("core 0 writes a message");
    maintain("DC_CIVAC", answer);
    sender.store(message, 42n);
    sender.dsb();
    maintain("DC_CVAC", message);
    world.step("core 1 reads it and answers");
    const seen = receiver.load(message);
    receiver.store(answer, seen + 1n);
    receiver.dsb();
    world.step("core 0 reads the answer");
    maintain("DC_CIVAC", answer);
    world.tell("the answer", sender.load(answer));
  },
});

const lock = defineStory({
  name: "lock-caches-off",
  number: 21,
  title: "two cores take a lock with their caches off",
  source: SOURCE,
  machine: "seattle",
  needs: ["caches", "two cores"],
  fixes: { "caches-on": "both cores turn their caches on first" },
  expect: () => [],
  play(world) {
    const cores = [world.core(0), world.core(1)];
    const word = world.allocate(4096);
    for (const cpu of cores) {
      world.step(`core ${cpu.core} takes the lock and gives it back`);
      const on = world.has("caches-on");
      cpu.sctlr({ m: on, c: on, i: on });
      let taken = true;
      try {
        cpu.atomic(word, 1n);
        cpu.store(word, 0n);
      } catch (error) {
        if (!(error instanceof RecordError)) throw error;
        taken = false;
      }
      // What an exclusive pair does to uncached memory is the machine's choice; all presets fault.
      const faults = world.machine.resolved.ncAtomics === "fault";
      world.check("the lock was taken", taken, on || !faults);
    }
  },
});

export default [mailbox, lock];
