import { type LogEvent } from './event.js';
import { parseTime } from './time.js';

/** `processed_at` in microseconds since 1970; undefined while the event waits in the queue (or the stamp is unreadable). */
export function stampOf(event: LogEvent): number | undefined {
  return typeof event.processed_at === 'string' ? parseTime(event.processed_at) : undefined;
}

/** What tells two events apart: the id, or type and stamp for the `user.interrupt` events the API stores without one. */
export function identityOf(event: LogEvent): string {
  const id = textOf(event, 'id') ?? '';
  return id === '' ? `${textOf(event, 'type')}@${textOf(event, 'processed_at')}` : id;
}

/** A field's value when it is a string. */
export function textOf(event: LogEvent, field: string): string | undefined {
  const value = event[field];
  return typeof value === 'string' ? value : undefined;
}

/** A value when it is a plain JSON object. */
export function recordOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  const isRecord = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isRecord ? (value as Readonly<Record<string, unknown>>) : undefined;
}
