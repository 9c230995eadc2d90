/** Shards that work side by side, however they are reached: what is sent to all of them, what comes back, and who has failed. */
import { type Answer, type Answers, errorFor, type PartSetup, type Question, type Stop } from "./part.ts";

export interface Team {
  readonly size: number;
  /** Some shard's play has ended before the end: there's no use in sending more. */
  readonly stopped: boolean;
  /**
   * Hands up to a batch of words to every shard. They are the caller's again when the promise settles, which waits while the
   * slowest shard is some batches behind. Rejects with a ShardError when a shard has failed.
   */
  send(words: Uint32Array): Promise<void>;
  /** Asks one shard, after everything sent before. Rejects likewise. */
  ask<Q extends Question>(member: number, question: Q): Promise<Answers[Q["what"]]>;
  /** Ends all shards. What is still waited for rejects. */
  close(): Promise<void>;
}

/** Starts a shard for each setup. Rejects if one doesn't start. The signal ends them all at once; whoever waits sees its reason. */
export type TeamFactory = (setups: readonly PartSetup[], signal?: AbortSignal) => Promise<Team>;

/** A shard ended, crashed or could not start: nothing that the others found is the whole. */
export class ShardError extends Error {
  /** Number of the shard, from 0. */
  readonly shard: number;

  constructor(shard: number, of: number, cause: unknown) {
    super(`shard ${shard} of ${of} failed: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.name = "ShardError";
    this.shard = shard;
  }
}

/** Batches sent that the slowest shard may not have played yet. */
export const BATCHES_AHEAD = 8;

/** What a shard says. */
export type Message =
  | { readonly ready: true }
  /** One more batch has been taken; `stopped`: its play has ended. */
  | { readonly taken: true; readonly stopped: boolean }
  | { readonly answer: Answer }
  /** It could not start, for a reason of the machine's. */
  | { readonly failed: Stop };

interface Waiting {
  readonly resolve: (value: never) => void;
  readonly reject: (reason: unknown) => void;
}

/** Who has taken what, who waits for which answer, and the first failure, which ends all waiting. */
class Correspondence {
  readonly #taken: number[];
  readonly #answers: Waiting[][];
  readonly #ready: boolean[];
  /** Waits for a state of things, looked at after each message. */
  #waits: { readonly until: () => boolean; readonly waiting: Waiting }[] = [];
  #failure: { readonly reason: unknown } | undefined;
  #sent = 0;
  #stopped = false;

  constructor(size: number) {
    this.#taken = new Array<number>(size).fill(0);
    this.#ready = new Array<boolean>(size).fill(false);
    this.#answers = Array.from({ length: size }, () => []);
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  receive(member: number, message: Message): void {
    if ("ready" in message) this.#ready[member] = true;
    else if ("failed" in message) this.fail(errorFor(message.failed));
    else if ("answer" in message) this.#answers[member]?.shift()?.resolve(message.answer as never);
    else {
      this.#taken[member] = (this.#taken[member] as number) + 1;
      if (message.stopped) this.#stopped = true;
    }
    this.#look();
  }

  /** The first reason stays. */
  fail(reason: unknown): void {
    this.#failure ??= { reason };
    for (const waiting of this.#answers.flatMap((each) => each.splice(0))) waiting.reject(this.#failure.reason);
    this.#look();
  }

  #look(): void {
    const waits = this.#waits;
    this.#waits = [];
    for (const each of waits) {
      if (this.#failure) each.waiting.reject(this.#failure.reason);
      else if (each.until()) each.waiting.resolve(undefined as never);
      else this.#waits.push(each);
    }
  }

  #wait(until: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waits.push({ until, waiting: { resolve: resolve as Waiting["resolve"], reject } });
      this.#look();
    });
  }

  allReady(): Promise<void> {
    return this.#wait(() => this.#ready.every((ready) => ready));
  }

  /** One more batch may be sent: whoever waits for this sends it. */
  async room(): Promise<void> {
    await this.#wait(() => this.#sent - Math.min(...this.#taken) < BATCHES_AHEAD);
    this.#sent++;
  }

  answerOf<A extends Answer>(member: number): Promise<A> {
    return new Promise((resolve, reject) => {
      if (this.#failure) reject(this.#failure.reason);
      else this.#answers[member]?.push({ resolve: resolve as Waiting["resolve"], reject });
    });
  }
}

/** What kinds of shards differ in: how they are started, reached and ended. */
export interface Members {
  readonly size: number;
  /** Starts all of them; what they say goes to the correspondence. */
  start(mail: Correspondence): void;
  /** Hands a batch to all of them. The words are the caller's again afterwards. */
  send(words: Uint32Array): void;
  ask(member: number, question: Question): void;
  /** Ends those that have been started. Called once. */
  end(): Promise<void>;
}

/** Starts members and waits until all are ready. They end with the team: when it's closed, the signal says so, or one doesn't start. */
export async function startTeam(members: Members, signal?: AbortSignal): Promise<Team> {
  const mail = new Correspondence(members.size);
  let ended: Promise<void> | undefined;
  const close = (): Promise<void> => {
    signal?.removeEventListener("abort", abort);
    mail.fail(new Error("the play is closed"));
    ended ??= members.end();
    return ended;
  };
  const abort = (): void => {
    mail.fail(signal?.reason);
    void close();
  };
  try {
    signal?.throwIfAborted();
    signal?.addEventListener("abort", abort, { once: true });
    members.start(mail);
    await mail.allReady();
  } catch (error) {
    await close();
    throw error;
  }
  return {
    size: members.size,
    get stopped() {
      return mail.stopped;
    },
    async send(words) {
      await mail.room();
      members.send(words);
    },
    ask<Q extends Question>(member: number, question: Q): Promise<Answers[Q["what"]]> {
      members.ask(member, question);
      return mail.answerOf(member);
    },
    close,
  };
}
