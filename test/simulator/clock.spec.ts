import fc from 'fast-check';
import { formatTime, idFor, ManualClock, parseTime } from './index.js';
import { Ids } from './ids.js';

describe('time', () => {
  it('keeps its microseconds when written and read', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4_000_000_000_000_000 }), (micros) => {
        expect(parseTime(formatTime(micros))).toBe(micros);
      }),
    );
    expect(formatTime(parseTime('2026-08-17T18:21:33.2627+02:00')!)).toBe('2026-08-17T16:21:33.262700Z');
    expect(parseTime('yesterday')).toBeUndefined();
    expect(parseTime('2026-13-01T00:00:00Z')).toBeUndefined();
  });

  it('runs what comes due in order and at its own time', () => {
    const clock = new ManualClock('2026-01-01T00:00:00Z');
    const ran: string[] = [];
    const note = (name: string) => () => ran.push(`${name} ${formatTime(clock.now()).slice(17, 23)}`);
    clock.schedule(200, note('second'));
    clock.schedule(100, () => {
      note('first')();
      clock.schedule(50, note('nested'));
    });
    const cancel = clock.schedule(150, note('cancelled'));
    cancel();
    clock.advance(1000);
    expect(ran).toEqual(['first 00.100', 'nested 00.150', 'second 00.200']);
    expect(formatTime(clock.now())).toBe('2026-01-01T00:00:01.000000Z');
  });
});

describe('ids', () => {
  it('are well-formed and the same for the same seed', () => {
    const [a, b, other] = [new Ids('seed'), new Ids('seed'), new Ids('other')];
    const ids = Array.from({ length: 50 }, () => a.next('sevt'));
    expect(ids).toEqual(Array.from({ length: 50 }, () => b.next('sevt')));
    expect(other.next('sevt')).not.toBe(ids[0]);
    expect(new Set(ids).size).toBe(50);
    for (const id of [...ids, idFor('agent', 'deployer')]) expect(id).toMatch(/^[a-z]+_01[1-9A-HJ-NP-Za-km-z]{22}$/);
  });
});
