/** Question: do batches come out of the queue as they were put in, and is nobody woken for fewer than asked for? */
import fc from "fast-check";
import { expect, test } from "vitest";
import { type BatchFacts, BatchQueue, SLOTS } from "../../src/trace/batch-queue.ts";

test("in order, with what is said of them, however putting and taking take turns", () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { maxLength: 200 }), fc.integer({ min: 1, max: SLOTS }), (turns, many) => {
      const putting = new BatchQueue();
      const taking = new BatchQueue(putting.memory);
      let put = 0;
      let taken = 0;
      let waits = false;
      for (const puts of turns) {
        // Who puts into a full queue would sleep.
        if (puts && put - taken < SLOTS) {
          putting.room().set([put, ~put]);
          const tells = putting.put(2, factsOf(put));
          put++;
          expect(tells).toBe(waits && put - taken >= many);
          if (tells) waits = false;
        } else if (put > taken) {
          const { number } = factsOf(taken);
          expect(taking.get(number - 1)).toBeUndefined();
          expect(taking.get(number)).toEqual({ words: Uint32Array.of(taken, ~taken), ...factsOf(taken) });
          taking.release();
          taken++;
        } else {
          expect(taking.get(factsOf(taken).number)).toBeUndefined();
          taking.awaitNext(many);
          waits = true;
        }
      }
    }),
    { numRuns: 50 },
  );
});

/** Batches between them are decoded elsewhere. */
const factsOf = (put: number): BatchFacts => ({
  number: 3 * put,
  records: put + 1,
  accessesOnly: put % 3 === 0,
  bytesRead: 1000 * put,
  skipped: put,
});
