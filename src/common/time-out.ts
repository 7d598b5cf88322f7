/** Waits for `work`, for `ms` milliseconds at most: then the result is `late`. What `work` throws in time is passed on. */
export async function within<T, L = undefined>(ms: number, work: Promise<T> | undefined, late?: L): Promise<T | L> {
  let timer: NodeJS.Timeout | undefined;
  const timeUp = new Promise<L>((resolve) => (timer = setTimeout(() => resolve(late as L), ms)));
  try {
    return await Promise.race([work!, timeUp]);
  } finally {
    clearTimeout(timer);
  }
}
