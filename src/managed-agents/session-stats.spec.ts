import { Spending } from './session-stats.js';

let spending: Spending;
beforeEach(() => (spending = new Spending()));

it('counts all of what a session spends that was started here', () => {
  spending.started('sesn_1');
  spending.seen('sesn_1', 0.1);
  spending.seen('sesn_1', 0.3);
  expect(spending.total).toBe(0.3);
});

it('counts the growth of any other from its first look on', () => {
  spending.seen('sesn_1', 5);
  expect(spending.total).toBe(0);
  spending.seen('sesn_1', 5.25);
  expect(spending.total).toBe(0.25);
});

it('takes a look that is older than the last one for nothing, and an unknown cost as well', () => {
  spending.started('sesn_1');
  for (const usd of [2, 1, null, 2, 3]) spending.seen('sesn_1', usd);
  expect(spending.total).toBe(3);
});

it('adds sessions to each other, to the cent', () => {
  for (const id of ['sesn_1', 'sesn_2', 'sesn_3']) {
    spending.started(id);
    spending.seen(id, 0.1);
  }
  expect(spending.total).toBe(0.3);
});
