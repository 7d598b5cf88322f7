import { type LimitsSettings } from '../../config/limits.settings.js';
import { StoreHealth } from './store-health.js';

it('is up again once an update succeeds', async () => {
  const health = new StoreHealth({} as LimitsSettings);
  await health.update(() => Promise.reject(new Error('gone')));
  expect(health.up).toBe(false);
  await health.update(() => Promise.resolve());
  expect(health.up).toBe(true);
});

describe('a store that fails', () => {
  const stall = (ms: number) => {
    const until = performance.now() + ms;
    while (performance.now() < until);
  };

  it('is asked once, unless this process could not react meanwhile', async () => {
    const health = new StoreHealth({} as LimitsSettings);
    let asked = 0;
    const ask = (stalledMs: number) => () => {
      asked += 1;
      return new Promise((_resolve, reject) => {
        setImmediate(() => {
          stall(stalledMs);
          reject(new Error('gone'));
        });
      });
    };
    expect(await health.query('calls', 'observe', ask(0))).toEqual({});
    expect(asked).toBe(1);
    expect(await health.query('calls', 'observe', ask(1200))).toEqual({});
    expect(asked).toBe(3);
  });

  it('never answers: that is a failure as well', async () => {
    const health = new StoreHealth({ onStoreFailure: 'closed' } as LimitsSettings);
    health.answerTimeoutMs = 20;
    expect(await health.query('calls', 'observe', () => new Promise(() => undefined))).toMatchObject({
      refusal: { rule: 'limit_store' },
    });
    expect(health.up).toBe(false);
  });
});
