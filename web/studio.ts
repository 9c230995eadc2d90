/** The page's side of the worker: asks, awaits, cancels. */

import type { Cancellation, Heat, Progress, QuestionName, Questions, Reply } from "./protocol.ts";
import StudioWorker from "./worker/main.ts?worker&inline";

export interface Asked<Answer> {
  readonly answer: Promise<Answer>;
  /** Ends it early: what there is until then is the answer. */
  cancel(): void;
}

/** A question that changes the worker for good. */
type Told =
  | ({ readonly name: "machine" } & Questions["machine"]["question"])
  | ({ readonly name: "recording" } & Questions["recording"]["question"]);

/** The worker was stopped while it was busy. */
export class Stopped extends Error {}

interface Waiting {
  readonly resolve: (answer: never) => void;
  readonly reject: (error: Error) => void;
  readonly report: ((progress: Progress, partial?: Heat) => void) | undefined;
}

export class Studio {
  #worker: Worker;
  #next = 1;
  readonly #waiting = new Map<number, Waiting>();
  /** What a worker that starts afresh must be told again: the machine, and each recording. */
  readonly #told = new Map<string, Told>();

  constructor() {
    this.#worker = this.#start();
  }

  /** How many questions wait for an answer. */
  get busy(): number {
    return this.#waiting.size;
  }

  ask<Name extends QuestionName>(
    name: Name,
    question: Questions[Name]["question"],
    report?: (progress: Progress, partial?: Heat) => void,
  ): Asked<Questions[Name]["answer"]> {
    const id = this.#next++;
    const answer = new Promise<Questions[Name]["answer"]>((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as Waiting["resolve"], reject, report });
    });
    this.#worker.postMessage({ id, name, ...question });
    const cancel = () => this.#worker.postMessage({ id, name: "cancel" } satisfies Cancellation);
    return { answer, cancel };
  }

  /** Ends whatever runs, a story's endless loop included, and starts afresh. */
  stop(): void {
    this.#worker.terminate();
    for (const { reject } of this.#waiting.values()) reject(new Stopped("stopped"));
    this.#waiting.clear();
    this.#worker = this.#start();
  }

  /** Makes a machine the visitor's own: this worker's, and that of those after it. */
  async useMachine(question: Questions["machine"]["question"]): Promise<Questions["machine"]["answer"]> {
    const answer = await this.ask("machine", question).answer;
    if (!("wrong" in answer)) this.#told.set("the machine", { name: "machine", ...question });
    return answer;
  }

  /** Gives stories a recording likewise. */
  async giveRecording(question: Questions["recording"]["question"]): Promise<string> {
    const name = await this.ask("recording", question).answer;
    this.#told.set(`recording ${name}`, { name: "recording", ...question });
    return name;
  }

  #start(): Worker {
    const worker = new StudioWorker();
    // Nobody waits for these answers: they were given before.
    for (const told of this.#told.values()) worker.postMessage({ ...told, id: this.#next++ });
    worker.onmessage = ({ data }: MessageEvent<Reply>) => {
      const waiting = this.#waiting.get(data.id);
      if (data.kind === "progress") {
        waiting?.report?.(data.progress, data.partial);
        return;
      }
      this.#waiting.delete(data.id);
      if (data.kind === "error") waiting?.reject(new Error(data.message));
      else waiting?.resolve(data.answer as never);
    };
    worker.onerror = (event) => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`the worker failed: ${event.message}`));
      this.#waiting.clear();
    };
    return worker;
  }
}
