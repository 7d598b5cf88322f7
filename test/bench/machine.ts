import { cpus, loadavg } from 'node:os';

/** Where and when a benchmark ran. */
export function describeMachine(): Record<string, string | number> {
  return {
    node: `Node ${process.version}`,
    cpus: `${cpus().length} x ${cpus()[0]?.model ?? 'unknown CPU'}`,
    load: `load average ${(loadavg()[0] ?? 0).toFixed(1)} before the run`,
    time: new Date().toISOString(),
  };
}
