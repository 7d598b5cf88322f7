import { type LimitsSettings } from '../../config/limits.settings.js';
import { StoreHealth } from './store-health.js';

it('is up again once it takes what it is told', async () => {
  const health = new StoreHealth({} as LimitsSettings);
  await health.tell(() => Promise.reject(new Error('gone')));
  expect(health.up).toBe(false);
  await health.tell(() => Promise.resolve());
  expect(health.up).toBe(true);
});
