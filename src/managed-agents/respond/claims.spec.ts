import { CLAIM_MS, ClaimsInMemory, MAX_USED, MAX_USED_PER_OWNER } from './claims.js';

let now: number;
let claims: ClaimsInMemory;
beforeEach(() => {
  now = 1_000_000;
  jest.spyOn(Date, 'now').mockImplementation(() => now);
  claims = new ClaimsInMemory();
});
afterEach(() => jest.restoreAllMocks());

/** Uses nonces of its own until none is taken any more, and returns how many were. */
async function exhaust(owner: string): Promise<number> {
  for (let count = 0; ; count++) if (!(await claims.useOnce(`${owner}-${count}`, owner))) return count;
}

describe('what may be used once', () => {
  it('is used once, whoever brings it', async () => {
    expect(await claims.useOnce('a', 'alice')).toBe(true);
    expect(await claims.useOnce('a', 'alice')).toBe(false);
    expect(await claims.useOnce('a', 'bob')).toBe(false);
  });

  it("an owner that uses up what it has stands in nobody else's way", async () => {
    expect(await exhaust('mallory')).toBe(MAX_USED_PER_OWNER);
    expect(await claims.useOnce('a', 'alice')).toBe(true);
  });

  it('is bounded in all, and nothing is forgotten for it', async () => {
    const owners = MAX_USED / MAX_USED_PER_OWNER;
    for (let count = 0; count < owners; count++) expect(await exhaust(`p${count}`)).toBe(MAX_USED_PER_OWNER);
    expect(await claims.useOnce('a', 'alice')).toBe(false);
    expect(await claims.useOnce('p0-0', 'alice')).toBe(false);
  });

  it('is forgotten when its time is over, which makes room for its owner', async () => {
    await claims.useOnce('first', 'alice');
    now += 1000;
    await exhaust('alice');
    now += CLAIM_MS - 1001;
    expect(await claims.useOnce('next', 'alice')).toBe(false);
    now += 1;
    expect(await claims.useOnce('next', 'alice')).toBe(true);
    expect(await claims.useOnce('another', 'alice')).toBe(false);
    now += 1000;
    expect(await exhaust('alice')).toBe(MAX_USED_PER_OWNER - 1);
  });
});
