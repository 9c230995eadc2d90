/** The script of a shard's Web Worker. */
import type { Message } from "./team.ts";
import { serveShard, type WorkerTask } from "./workers.web.ts";

interface WorkerScope {
  postMessage(message: Message): void;
  onmessage: ((event: MessageEvent<WorkerTask>) => void) | null;
}

const scope = globalThis as unknown as WorkerScope;
const serve = serveShard((message) => scope.postMessage(message));
scope.onmessage = ({ data }) => serve(data);
