import { MAX_PER_PRINCIPAL, MAX_TOTAL, UsedNonces } from './question-states.js';

const TTL_SECONDS = 601;
let now: number;
let used: UsedNonces;
beforeEach(() => {
  now = 1_000_000;
  jest.spyOn(Date, 'now').mockImplementation(() => now);
  used = new UsedNonces(TTL_SECONDS);
});
afterEach(() => jest.restoreAllMocks());

/** Uses nonces of its own until none is taken any more, and returns how many were. */
function exhaust(principal: string): number {
  for (let count = 0; ; count++) if (!used.useUp(`${principal}-${count}`, principal)) return count;
}

it('takes each nonce once, whoever brings it', () => {
  expect(used.useUp('a', 'alice')).toBe(true);
  expect(used.useUp('a', 'alice')).toBe(false);
  expect(used.useUp('a', 'bob')).toBe(false);
});

it("a principal that uses up what it has stands in nobody else's way", () => {
  expect(exhaust('mallory')).toBe(MAX_PER_PRINCIPAL);
  expect(used.useUp('a', 'alice')).toBe(true);
});

it('is bounded in all', () => {
  const principals = MAX_TOTAL / MAX_PER_PRINCIPAL;
  for (let count = 0; count < principals; count++) expect(exhaust(`p${count}`)).toBe(MAX_PER_PRINCIPAL);
  expect(used.useUp('a', 'alice')).toBe(false);
});

it('forgets a nonce when its time is over, and makes room for its principal', () => {
  used.useUp('first', 'alice');
  now += 1000;
  exhaust('alice');
  now += TTL_SECONDS * 1000 - 1001;
  expect(used.useUp('next', 'alice')).toBe(false);
  now += 1;
  expect(used.useUp('next', 'alice')).toBe(true);
  expect(used.useUp('another', 'alice')).toBe(false);
  now += 1000;
  expect(exhaust('alice')).toBe(MAX_PER_PRINCIPAL - 1);
});
