/** One shard's thread: takes batches from the ring and questions from its port until it is ended. */
import { receiveMessageOnPort } from "node:worker_threads";
import { type Question, startPart } from "./part.ts";
import { Ring } from "./ring.ts";
import type { Message } from "./team.ts";
import type { ThreadTask } from "./threads.node.ts";

/** Returns if the shard can't start, else never: whoever started it ends the thread. */
export default function playShard({ setup, ring: memory, port }: ThreadTask): void {
  const say = (message: Message) => port.postMessage(message);
  const part = startPart(setup, say);
  if (part === undefined) return;
  const ring = new Ring(memory);
  for (let taken = 0; ; ) {
    const woken = ring.woken();
    const question: { readonly message: Question } | undefined = receiveMessageOnPort(port);
    // A question is about everything sent before it, which is in the ring by now.
    for (let words = ring.get(taken); words; words = ring.get(taken)) {
      part.play(words);
      taken++;
      say({ taken: true, stopped: part.stopped });
    }
    if (question) say({ answer: part.answer(question.message) });
    else ring.sleep(woken);
  }
}
