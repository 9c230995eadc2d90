/** The worker: answers questions one after another, and lets a cancellation in between. */
import type { Cancellation, Question, QuestionName, Questions, Reply } from "../protocol.ts";
import { catalogue, descriptionOf, ownMachine } from "./catalogue.ts";
import { costSheet } from "./cost.ts";
import { giveRecording } from "./recordings.ts";
import { film, storyCode } from "./stories.ts";
import { sweep } from "./sweep.ts";
import { replayTrace } from "./trace.ts";

const host = self as unknown as {
  postMessage(reply: Reply): void;
  onmessage: ((event: MessageEvent<Question | Cancellation>) => void) | null;
};

const cancelled = new Set<number>();
let queue: Promise<void> = Promise.resolve();

host.onmessage = ({ data }) => {
  if (data.name === "cancel") {
    cancelled.add(data.id);
    return;
  }
  queue = queue.then(() => reply(data));
};

async function reply(question: Question): Promise<void> {
  const { id } = question;
  if (cancelled.delete(id)) return;
  try {
    host.postMessage({ id, kind: "answer", answer: await answer(question) });
  } catch (error) {
    host.postMessage({ id, kind: "error", message: error instanceof Error ? error.message : String(error) });
  } finally {
    cancelled.delete(id);
  }
}

async function answer(question: Question): Promise<Questions[QuestionName]["answer"]> {
  const { id } = question;
  const isCancelled = () => cancelled.has(id);
  switch (question.name) {
    case "catalogue":
      return catalogue();
    case "film":
      return film(question.setting, question.code, question.base);
    case "recording":
      return giveRecording(question.file, question.wanted);
    case "code":
      return storyCode(question.setting);
    case "machine":
      return ownMachine(question);
    case "description":
      return descriptionOf(question.machine);
    case "sweep":
      return sweep(question);
    case "trace":
      return replayTrace(question, isCancelled, (progress, partial) =>
        host.postMessage({ id, kind: "progress", progress, partial }),
      );
    case "cost":
      return costSheet(question, isCancelled, (progress) => host.postMessage({ id, kind: "progress", progress }));
  }
}
