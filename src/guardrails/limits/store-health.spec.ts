import { type LimitsSettings } from '../../config/limits.settings.js';
import { StoreHealth } from './store-health.js';

it('is up again once an update succeeds', async () => {
  const health = new StoreHealth({} as LimitsSettings);
  await health.update(() => Promise.reject(new Error('gone')));
  expect(health.up).toBe(false);
  await health.update(() => Promise.resolve());
  expect(health.up).toBe(true);
});
