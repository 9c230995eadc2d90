/** Reading that Ctrl-C ends, even while standard input has nothing to say. */

/** The items until the signal is aborted; then it ends, without waiting for an item that may never come. */
export async function* untilAborted<T>(
  items: AsyncIterable<T>,
  signal: AbortSignal,
): AsyncGenerator<T, void, undefined> {
  const iterator = items[Symbol.asyncIterator]();
  // Not Promise.race with a promise of the abort: that would keep every item that ever won for as long as the signal lives.
  let stop = (): void => {};
  const aborted = (): void => stop();
  signal.addEventListener("abort", aborted, { once: true });
  try {
    while (!signal.aborted) {
      const pending = iterator.next();
      const next = await new Promise<IteratorResult<T> | undefined>((resolve, reject) => {
        stop = () => resolve(undefined);
        pending.then(resolve, reject);
      });
      // Aborted: nobody waits for the item any more, and what becomes of it doesn't matter.
      if (next === undefined || next.done) return;
      yield next.value;
    }
  } finally {
    signal.removeEventListener("abort", aborted);
    const closed = iterator.return?.();
    if (signal.aborted) closed?.catch(() => {});
    else await closed;
  }
}
