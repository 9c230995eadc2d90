/** Reading that Ctrl-C ends, even while standard input has nothing to say. */

/** The items until the signal is aborted; then it ends, without waiting for an item that may never come. */
export async function* untilAborted<T>(
  items: AsyncIterable<T>,
  signal: AbortSignal,
): AsyncGenerator<T, void, undefined> {
  const iterator = items[Symbol.asyncIterator]();
  const aborted = new Promise<undefined>((resolve) => {
    if (signal.aborted) resolve(undefined);
    signal.addEventListener("abort", () => resolve(undefined), { once: true });
  });
  try {
    while (!signal.aborted) {
      const pending = iterator.next();
      const next = await Promise.race([pending, aborted]);
      if (next === undefined) {
        // Nobody waits for it any more; what becomes of it doesn't matter.
        pending.catch(() => {});
        return;
      }
      if (next.done) return;
      yield next.value;
    }
  } finally {
    const closed = iterator.return?.();
    if (signal.aborted) closed?.catch(() => {});
    else await closed;
  }
}
