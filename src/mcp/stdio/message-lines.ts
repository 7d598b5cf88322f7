import { JsonDepth, MAX_JSON_DEPTH } from '../json-depth.js';

/** Longest line, in bytes. */
export const MAX_LINE_BYTES = 10 * 1024 * 1024;
/** Kept of both ends of a line that is refused, in bytes: the id of a request stands at one of them. */
const KEPT_BYTES = 1024;

const NEWLINE = 0x0a;
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

/** One line of a client, or why it is not accepted. */
export type Line =
  | { readonly text: string }
  /** `id` is that of the request, where it can be told; otherwise null. */
  | { readonly refused: string; readonly id: string | number | null };

/** Splits what a client writes into lines of bounded length and depth. Of a line that is refused only the ends are kept. */
export class MessageLines {
  private parts: Buffer[] = [];
  private length = 0;
  private depth = new JsonDepth();
  private refused?: string;
  private head = Buffer.alloc(0);
  private tail = Buffer.alloc(0);
  private isFirst = true;

  /** Takes the next bytes and returns the lines that end in them. */
  append(chunk: Buffer): Line[] {
    const lines: Line[] = [];
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      this.take(chunk.subarray(start, end));
      lines.push(...this.end());
      start = end + 1;
    }
    this.take(chunk.subarray(start));
    return lines;
  }

  /** Ends the line that has begun, if there is one: the last line of a file may have no line break. */
  end(): Line[] {
    const { parts, refused } = this;
    const id = refused === undefined ? null : idOf(this.head.toString(), this.tail.toString());
    this.parts = [];
    this.length = 0;
    this.depth = new JsonDepth();
    this.refused = undefined;
    if (refused !== undefined) return [{ refused, id }];
    const text = this.withoutMark(Buffer.concat(parts)).toString().trim();
    return text === '' ? [] : [{ text }];
  }

  private take(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.length += bytes.length;
    if (this.refused === undefined) {
      this.parts.push(bytes);
      if (this.length > MAX_LINE_BYTES) this.refuse(`longer than ${MAX_LINE_BYTES / 1024 / 1024} MB`);
      else if (this.depth.exceededBy(bytes)) this.refuse(`nested more than ${MAX_JSON_DEPTH} levels deep`);
    } else {
      this.tail = Buffer.concat([this.tail, bytes.subarray(-KEPT_BYTES)]).subarray(-KEPT_BYTES);
    }
  }

  private refuse(reason: string): void {
    const line = Buffer.concat(this.parts);
    this.parts = [];
    this.refused = reason;
    // Copies, because a part would keep the whole line.
    this.head = Buffer.from(line.subarray(0, KEPT_BYTES));
    this.tail = Buffer.from(line.subarray(-KEPT_BYTES));
  }

  /** Some editors and shells put a byte order mark before a text in UTF-8. */
  private withoutMark(line: Buffer): Buffer {
    const { isFirst } = this;
    this.isFirst = false;
    return isFirst && line.indexOf(BYTE_ORDER_MARK) === 0 ? line.subarray(BYTE_ORDER_MARK.length) : line;
  }
}

const ID = String.raw`"id"\s*:\s*("(?:[^"\\]|\\.){1,200}"|\d{1,15})`;
const AT_START = new RegExp(String.raw`^\s*\{\s*(?:"jsonrpc"\s*:\s*"2\.0"\s*,\s*)?${ID}\s*[,}]`);
const AT_END = new RegExp(String.raw`${ID}\s*\}\s*$`);

/** The id of a request that is not parsed. Serializers write it first or last; anywhere else it may belong to an argument. */
function idOf(head: string, tail: string): string | number | null {
  const found = AT_START.exec(head) ?? AT_END.exec(tail);
  return found?.[1] === undefined ? null : (JSON.parse(found[1]) as string | number);
}
