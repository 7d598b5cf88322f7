import { KeyedMutex, QueueFullError } from './keyed-mutex.js';

/** Work that ends when the test says so. */
function held() {
  let release!: () => void;
  const done = new Promise<void>((resolve) => (release = resolve));
  return { work: () => done, release };
}

it('runs the work of one key in turn, in the order of arrival', async () => {
  const mutex = new KeyedMutex(10);
  const order: string[] = [];
  const first = held();
  const one = mutex.run('a', () => first.work().then(() => order.push('one')));
  const two = mutex.run('a', () => Promise.resolve(order.push('two')));
  const three = mutex.run('a', () => Promise.resolve(order.push('three')));
  await mutex.run('b', () => Promise.resolve(order.push('other key')));
  first.release();
  await Promise.all([one, two, three]);
  expect(order).toEqual(['other key', 'one', 'two', 'three']);
});

it('goes on after work that failed, and passes its failure on', async () => {
  const mutex = new KeyedMutex(10);
  const failing = mutex.run('a', () => Promise.reject(new Error('broken')));
  const next = mutex.run('a', () => Promise.resolve('fine'));
  await expect(failing).rejects.toThrow('broken');
  await expect(next).resolves.toBe('fine');
});

it('takes no more than its limit, and has room again afterwards', async () => {
  const mutex = new KeyedMutex(2);
  const first = held();
  const running = [mutex.run('a', first.work), mutex.run('a', () => Promise.resolve())];
  await expect(mutex.run('a', () => Promise.resolve())).rejects.toThrow(QueueFullError);
  first.release();
  await Promise.all(running);
  await expect(mutex.run('a', () => Promise.resolve('room'))).resolves.toBe('room');
});

it('keeps nothing of keys without work', async () => {
  const mutex = new KeyedMutex(10);
  const works = Array.from({ length: 100 }, (_, index) => mutex.run(`key ${index}`, () => Promise.resolve(index)));
  expect(mutex.size).toBe(100);
  await Promise.all(works);
  expect(mutex.size).toBe(0);
});
