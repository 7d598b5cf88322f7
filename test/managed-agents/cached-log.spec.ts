import { RecentFrames } from '../../src/managed-agents/follow/cached-log.js';
import { CachedLog } from '../../src/managed-agents/follow/cached-log.js';
import { advance, cursorAtStart, type EventCursor } from '../../src/managed-agents/log/cursor.js';
import { type LogEvent } from '../../src/managed-agents/log/event.js';
import { readEvents } from '../../src/managed-agents/log/reader.js';
import { formatTime } from '../../src/managed-agents/log/time.js';
import { FakeLog, NOON, ORDERLY, SESSION } from '../support/fake-log.js';
import { pass, useVirtualTime } from '../support/virtual-time.js';

beforeAll(useVirtualTime);
afterAll(() => {
  jest.useRealTimers();
});

const SECOND = 1_000_000;
const BIG = 'x'.repeat(100_000);
const start = cursorAtStart(SESSION);

describe('what is kept of a log', () => {
  let log: FakeLog;
  let recent: CachedLog;
  beforeEach(() => {
    log = new FakeLog(ORDERLY);
    recent = new CachedLog(log.fetchPage);
  });

  const append = (count: number, gap: number, text = '') => {
    for (let i = 0; i < count; i += 1) log.append(gap, text);
  };
  const read = async (since: EventCursor, limit = 1000) =>
    (await readEvents(recent.pages(), { since, limit })).events.map(({ id }) => id);
  /** The cursor of a reader who has read so many events. */
  const after = async (count: number) =>
    advance(start, (await readEvents(log.fetchPage, { since: start, limit: count })).events);

  it('covers nobody before it was read, or when reading failed', async () => {
    expect(recent.covers(start)).toBe(false);
    await recent.catchUp();
    expect(log.requests).toBe(0);
    const failing = new CachedLog(() => Promise.reject(new Error('refused')));
    await expect(failing.startAt(start)).rejects.toThrow('refused');
    expect(failing.covers(start)).toBe(false);
  });

  it('serves everybody from one reading, and catches up with another one', async () => {
    append(5, SECOND);
    await recent.startAt(start);
    append(2, SECOND);
    await recent.catchUp();
    const requests = log.requests;
    expect(await read(start)).toEqual(log.processedIds);
    expect(await read(advance(start, []))).toEqual(log.processedIds);
    expect(log.requests).toBe(requests);
    expect(await read(await after(3))).toEqual(log.processedIds.slice(3));
  });

  it('serves a reader who lacks what the first one has seen', async () => {
    append(2, 0);
    await recent.startAt(await after(2));
    const other = await after(1);
    expect(recent.covers(other)).toBe(true);
    expect(await read(other)).toEqual(['sevt_2']);
  });

  it('does not cover who is further back than it began', async () => {
    append(3, 20 * SECOND);
    await recent.startAt(await after(3));
    expect(recent.covers(await after(1))).toBe(false);
    expect(recent.covers(start)).toBe(false);
    expect(recent.covers(await after(2))).toBe(false);
    expect(recent.covers(await after(3))).toBe(true);
  });

  it('drops the oldest when it is full, and covers only who has seen them', async () => {
    append(5, 20 * SECOND, BIG);
    await recent.startAt(start);
    expect(recent.covers(start)).toBe(false);
    expect(recent.covers(await after(3))).toBe(false);
    expect(recent.covers(await after(4))).toBe(true);
    expect(await read(await after(4))).toEqual(['sevt_5']);
  });

  it('keeps nothing of an event that is larger than all it may keep', async () => {
    append(1, SECOND);
    append(1, SECOND, BIG.repeat(3));
    await recent.startAt(start);
    expect(recent.covers(start)).toBe(false);
    log.append(SECOND);
    await recent.catchUp();
    expect(recent.covers(await after(2))).toBe(false);
    append(1, 20 * SECOND);
    await recent.catchUp();
    expect(recent.covers(await after(4))).toBe(true);
  });

  it('keeps nothing of a backlog that is too long, at the start and when it catches up', async () => {
    append(901, 1);
    await recent.startAt(start);
    expect(recent.covers(start)).toBe(false);
    await recent.startAt(await after(700));
    append(901, 20 * SECOND);
    await recent.catchUp();
    expect(recent.covers(await after(900))).toBe(false);
  });

  it('lists the same from page to page, whatever comes or goes meanwhile', async () => {
    append(6, SECOND);
    await recent.startAt(start);
    const pages = recent.pages();
    const first = await pages({ order: 'asc', limit: 3 });
    append(4, SECOND, BIG);
    await recent.catchUp();
    const second = await pages({ order: 'asc', limit: 3, page: first.nextPage });
    expect([...first.events, ...second.events].map(({ id }) => id)).toEqual(log.processedIds.slice(0, 6));
    expect(second.nextPage).toBeUndefined();
  });

  it('lists by time and type like the API', async () => {
    append(3, SECOND);
    await recent.startAt(start);
    const list = async (query: object) =>
      (await recent.pages()({ order: 'asc', limit: 10, ...query })).events.map(({ id }) => id);
    expect(await list({ from: formatTime(NOON + 2 * SECOND) })).toEqual(['sevt_2', 'sevt_3']);
    expect(await list({ types: ['user.message'] })).toEqual([]);
    expect(await list({ types: ['agent.message'] })).toHaveLength(3);
  });
});

describe('what is kept of a stream', () => {
  const frame = (id: number, fields: object = {}): LogEvent => ({
    id: `sevt_${id}`,
    type: 'agent.tool_use',
    processed_at: formatTime(NOON + id),
    ...fields,
  });
  const ids = (frames: RecentFrames) => frames.all().map(({ id }) => id);

  it('is what tells the situation, in its order', () => {
    const frames = new RecentFrames();
    frames.add(frame(2));
    frames.add(frame(1, { type: 'session.status_idle' }));
    frames.add(frame(3, { type: 'agent.mystery' }));
    expect(ids(frames)).toEqual(['sevt_2', 'sevt_1']);
  });

  it('is forgotten after ten seconds', async () => {
    const frames = new RecentFrames();
    frames.add(frame(1));
    await pass(6000);
    frames.add(frame(2));
    await pass(5000);
    expect(ids(frames)).toEqual(['sevt_2']);
    await pass(6000);
    expect(ids(frames)).toEqual([]);
  });

  it('is the newest 200', () => {
    const frames = new RecentFrames();
    for (let id = 0; id < 500; id += 1) frames.add(frame(id));
    expect(ids(frames)).toHaveLength(200);
    expect(ids(frames).at(0)).toBe('sevt_300');
    expect(ids(frames).at(-1)).toBe('sevt_499');
  });

  it('is a quarter of a million characters at most, none of them in one long event', () => {
    const frames = new RecentFrames();
    for (let id = 0; id < 60; id += 1) frames.add(frame(id, { input: 'x'.repeat(12_000) }));
    const kept = frames.all();
    expect(JSON.stringify(kept).length).toBeLessThanOrEqual(256 * 1024 + kept.length + 2);
    expect(kept.length).toBeGreaterThan(15);
    expect(kept.at(-1)?.id).toBe('sevt_59');
    frames.add(frame(60, { input: 'x'.repeat(17_000) }));
    expect(ids(frames).at(-1)).toBe('sevt_59');
  });

  it('does without what a tool returned', () => {
    const frames = new RecentFrames();
    frames.add(frame(1, { type: 'agent.tool_result', tool_use_id: 'sevt_0', content: 'x'.repeat(10_000_000) }));
    expect(frames.all()).toEqual([expect.objectContaining({ tool_use_id: 'sevt_0', content: undefined })]);
  });
});
