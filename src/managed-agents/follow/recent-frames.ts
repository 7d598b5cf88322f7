import { type LogEvent } from '../log/event.js';
import { SITUATION_TYPES } from '../log/vocabulary.js';

/** For how long the list can lack what the stream has shown, with room to spare, in milliseconds. */
const MAX_AGE_MS = 10_000;
const MAX_FRAMES = 200;
/** Longer events are left to the list, in characters of JSON. */
const MAX_FRAME_CHARS = 16 * 1024;
const MAX_TOTAL_CHARS = 256 * 1024;

interface Frame {
  readonly event: LogEvent;
  readonly chars: number;
  readonly at: number;
}

/** What a stream has shown lately and tells a session's situation, oldest first. Bounded in age, number and size. */
export class RecentFrames {
  private frames: readonly Frame[] = [];

  add(event: LogEvent): void {
    if (!SITUATION_TYPES.includes(event.type)) return;
    const kept = withoutResult(event);
    const chars = JSON.stringify(kept).length;
    if (chars > MAX_FRAME_CHARS) return;
    this.frames = newestWithin(MAX_TOTAL_CHARS, [
      ...this.fresh().slice(-MAX_FRAMES + 1),
      { event: kept, chars, at: performance.now() },
    ]);
  }

  all(): LogEvent[] {
    return this.fresh().map(({ event }) => event);
  }

  private fresh(): readonly Frame[] {
    const oldest = performance.now() - MAX_AGE_MS;
    return this.frames.filter(({ at }) => at >= oldest);
  }
}

function newestWithin(maxChars: number, frames: readonly Frame[]): readonly Frame[] {
  let chars = 0;
  const tooOld = frames.findLastIndex((frame) => (chars += frame.chars) > maxChars);
  return frames.slice(tooOld + 1);
}

/** Results can be long, and that they exist is all they tell. */
function withoutResult(event: LogEvent): LogEvent {
  return event.type.endsWith('tool_result') ? { ...event, content: undefined } : event;
}
