import { type LogEvent } from './event.js';
import { mergeStreamed } from './situation-reader.js';
import { formatTime } from './time.js';

const NOON = 1_786_968_000_000_000;
const at = (id: string, stamp: number | null, type = 'user.message'): LogEvent => ({
  id,
  type,
  processed_at: stamp === null ? null : formatTime(NOON + stamp),
});
const ids = (events: readonly LogEvent[]) => events.map(({ id, processed_at }) => (processed_at ? id : `${id}?`));

it.each<[string, LogEvent[], LogEvent[], boolean, string[]]>([
  ['nothing streamed', [at('a', 1)], [], true, ['a']],
  ['news at the end', [at('a', 1)], [at('b', 2)], true, ['a', 'b']],
  ['news in between, where its stamp belongs', [at('a', 1), at('c', 3)], [at('b', 2)], true, ['a', 'b', 'c']],
  ['a tie, after what is listed', [at('a', 1), at('b', 1)], [at('c', 1)], true, ['a', 'b', 'c']],
  ['what is listed already', [at('a', 1), at('b', 2)], [at('a', 1), at('b', 2)], true, ['a', 'b']],
  ['news of an empty log', [], [at('a', 1)], true, ['a']],
  ['an input that was queued and is processed now', [at('a', null)], [at('a', 1)], true, ['a', 'a?']],
  ['a queued input that is processed already', [at('a', 1)], [at('a', null)], true, ['a']],
  ['a queued input that the list lacks', [at('a', 1)], [at('b', null)], true, ['a', 'b?']],
  ['what is older than a part of the log', [at('b', 2), at('c', 3)], [at('a', 1)], false, ['b', 'c']],
  ['the same before the whole log', [at('b', 2), at('c', 3)], [at('a', 1)], true, ['a', 'b', 'c']],
  ['a part of the log that holds nothing', [], [at('a', 1)], false, []],
])('%s', (_, listed, streamed, isWhole, merged) => {
  expect(ids(mergeStreamed(listed, streamed, isWhole))).toEqual(merged);
});

it('does not take a queued interrupt for news: it has no id by which its processed copy would be known', () => {
  const listed = [at('a', 1), at('', 2, 'user.interrupt')];
  expect(mergeStreamed(listed, [at('', null, 'user.interrupt')], true)).toEqual(listed);
  expect(mergeStreamed(listed, [at('', 2, 'user.interrupt')], true)).toEqual(listed);
  expect(mergeStreamed([at('a', 1)], [at('', 2, 'user.interrupt')], true)).toEqual(listed);
});

it('leaves what it was given as it is', () => {
  const listed = [at('a', 1)];
  mergeStreamed(listed, [at('b', 2)], true);
  expect(ids(listed)).toEqual(['a']);
});
