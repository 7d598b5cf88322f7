/** Deepest nesting of a JSON message, counting the message itself. Calls need fewer than ten levels. */
export const MAX_JSON_DEPTH = 100;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENING: ReadonlySet<number> = new Set([0x5b, 0x7b]);
const CLOSING: ReadonlySet<number> = new Set([0x5d, 0x7d]);

/**
 * Measures how deep JSON is nested while its bytes arrive, before anything parses it: parsers and whatever walks over
 * their results need stack or time for each level. Brackets within strings do not count; UTF-8 needs no decoding for it.
 */
export class JsonDepth {
  private depth = 0;
  private inString = false;
  private escaped = false;

  /** Whether the bytes so far nest deeper than {@link MAX_JSON_DEPTH}. */
  exceededBy(bytes: Uint8Array): boolean {
    for (const byte of bytes) {
      if (this.inString) this.skip(byte);
      else if (byte === QUOTE) this.inString = true;
      else if (OPENING.has(byte)) this.depth += 1;
      else if (CLOSING.has(byte)) this.depth -= 1;
      if (this.depth > MAX_JSON_DEPTH) return true;
    }
    return false;
  }

  private skip(byte: number): void {
    if (this.escaped) this.escaped = false;
    else if (byte === BACKSLASH) this.escaped = true;
    else if (byte === QUOTE) this.inString = false;
  }
}
