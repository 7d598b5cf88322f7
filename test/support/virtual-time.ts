/** Real, however virtual the other clocks are: everything that waits for nothing but promises has happened then. */
const immediate = setImmediate;

/**
 * Timers and `performance.now` go by themselves no more: a test says how time passes. Promises settle in real time,
 * between the timers.
 */
export function useVirtualTime(): void {
  jest.useFakeTimers({ doNotFake: ['Date', 'setImmediate', 'clearImmediate', 'nextTick', 'queueMicrotask', 'hrtime'] });
}

/** Lets everything happen that waits for nothing but promises. */
export function settle(): Promise<void> {
  return new Promise((resolve) => immediate(resolve));
}

/** Lets `ms` milliseconds pass, timer by timer. */
export async function pass(ms: number): Promise<void> {
  let isOver = false;
  const end = setTimeout(() => (isOver = true), ms);
  await settle();
  while (!isOver) {
    // Of a test that was given up, whose clock is real again.
    if (jest.getTimerCount() === 0) throw new Error('Time stands still.');
    jest.advanceTimersToNextTimer();
    await settle();
  }
  clearTimeout(end);
}
