import { type LogEvent } from './event.js';
import { identityOf, stampOf } from './fields.js';

/**
 * The newest events of a log, with those a stream has shown and the list does not have yet where their stamps belong.
 *
 * @param listed in the order of the log
 * @param streamed in the order of the stream, as a rule a few seconds' worth
 * @param isWholeLog whether nothing is older than what is listed. Otherwise what is older is taken for listed there.
 */
export function mergeStreamed(
  listed: readonly LogEvent[],
  streamed: readonly LogEvent[],
  isWholeLog: boolean,
): LogEvent[] {
  const known = new Map(listed.map((event) => [identityOf(event), stampOf(event)]));
  const oldest = isWholeLog ? -Infinity : Math.min(...listed.map((event) => stampOf(event) ?? Infinity));
  const merged = [...listed];
  for (const event of streamed) {
    const stamp = stampOf(event) ?? Infinity;
    // A queued interrupt has no id by which its processed copy would be known.
    if (stamp === Infinity && !event.id) continue;
    const isNews = !known.has(identityOf(event)) || (known.get(identityOf(event)) === undefined && stamp < Infinity);
    if (isNews && stamp >= oldest) {
      merged.splice(merged.findLastIndex((other) => (stampOf(other) ?? Infinity) <= stamp) + 1, 0, event);
    }
  }
  return merged;
}
