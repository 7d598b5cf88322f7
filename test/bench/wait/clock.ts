/** Milliseconds of the machine's monotonic clock, which all processes share: times of two processes may be compared. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
