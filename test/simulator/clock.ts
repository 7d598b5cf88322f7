/** Microseconds since the epoch, the resolution of the API's stamps. */
export type Micros = number;

export interface SimulatorClock {
  now(): Micros;
  /** Runs `task` after `ms` of this clock's time; the returned function takes it back. */
  schedule(ms: number, task: () => void): () => void;
  /** Whether scheduled tasks come due by themselves, or only when a test moves the clock. */
  readonly runsByItself: boolean;
}

export class RealClock implements SimulatorClock {
  readonly runsByItself = true;

  now(): Micros {
    return Math.floor((performance.timeOrigin + performance.now()) * 1000);
  }

  schedule(ms: number, task: () => void): () => void {
    const timer = setTimeout(task, ms);
    return () => clearTimeout(timer);
  }
}

interface Appointment {
  readonly due: Micros;
  readonly task: () => void;
}

/** Time stands still until `advance` moves it; whatever comes due on the way runs in order, at its own time. */
export class ManualClock implements SimulatorClock {
  readonly runsByItself = false;
  private time: Micros;
  private readonly appointments = new Set<Appointment>();

  constructor(start = '2026-11-01T09:00:00.000000Z') {
    this.time = parseTime(start) ?? fail(`not an RFC 3339 time: ${start}`);
  }

  now(): Micros {
    return this.time;
  }

  schedule(ms: number, task: () => void): () => void {
    const appointment = { due: this.time + Math.round(ms * 1000), task };
    this.appointments.add(appointment);
    return () => this.appointments.delete(appointment);
  }

  advance(ms: number): void {
    const end = this.time + Math.round(ms * 1000);
    for (let next = this.nextBefore(end); next; next = this.nextBefore(end)) {
      this.appointments.delete(next);
      this.time = Math.max(this.time, next.due);
      next.task();
    }
    this.time = end;
  }

  private nextBefore(end: Micros): Appointment | undefined {
    return [...this.appointments].filter(({ due }) => due <= end).sort((a, b) => a.due - b.due)[0];
  }
}

export function formatTime(micros: Micros): string {
  const wholeMillis = Math.floor(micros / 1000);
  const rest = String(micros - wholeMillis * 1000).padStart(3, '0');
  return new Date(wholeMillis).toISOString().replace('Z', `${rest}Z`);
}

/** Reads an RFC 3339 time without losing its microseconds; undefined when it is none. */
export function parseTime(text: string): Micros | undefined {
  const match = /^(\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)$/.exec(text);
  if (!match) return undefined;
  const [, seconds, fraction = '', zone] = match;
  const millis = Date.parse(`${seconds}${zone}`.toUpperCase());
  return Number.isNaN(millis) ? undefined : millis * 1000 + Number(fraction.padEnd(6, '0').slice(0, 6));
}

function fail(message: string): never {
  throw new Error(message);
}
