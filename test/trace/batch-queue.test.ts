/** Question: do batches come out of the queue as they were put in, and is nobody woken for less than several? */
import fc from "fast-check";
import { expect, test } from "vitest";
import { BatchQueue } from "../../src/trace/batch-queue.ts";

const SLOTS = 8;

test("in order, with what is said of them, however putting and taking take turns", () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { maxLength: 200 }), (turns) => {
      const putting = new BatchQueue();
      const taking = new BatchQueue(putting.memory);
      let put = 0;
      let taken = 0;
      let waits = false;
      for (const puts of turns) {
        // Who puts into a full queue would sleep.
        if (puts && put - taken < SLOTS) {
          putting.room().set([put, ~put]);
          const tells = putting.put(2, { bytesRead: 1000 * put, skipped: put }, put % 3 === 0);
          put++;
          expect(tells).toBe(waits && put - taken >= SLOTS / 2);
          if (tells) waits = false;
        } else if (put > taken) {
          expect(taking.get()).toEqual({
            words: Uint32Array.of(taken, ~taken),
            bytesRead: 1000 * taken,
            skipped: taken,
            accessesOnly: taken % 3 === 0,
          });
          taking.release();
          taken++;
        } else {
          expect(taking.get()).toBeUndefined();
          expect(taking.awaitNext()).toBe(true);
          waits = true;
        }
      }
    }),
    { numRuns: 50 },
  );
});

test("who asks to be told while there is a batch is told that there is", () => {
  const queue = new BatchQueue();
  queue.room();
  queue.put(2, { bytesRead: 0, skipped: 0 }, false);
  expect(queue.awaitNext()).toBe(false);
});
