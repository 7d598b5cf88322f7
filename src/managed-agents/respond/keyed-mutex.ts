import { ExpectedError } from '../../context/expected-error.js';

/** Too much work of one key waits already. */
export class QueueFullError extends ExpectedError {
  readonly outcome = 'failed';
  readonly reason = 'busy';

  constructor() {
    super('Too many answers for this session arrive at once. Nothing was sent; try again.');
    this.name = 'QueueFullError';
  }
}

interface Queue {
  tail: Promise<unknown>;
  length: number;
}

/** Runs the work of one key one after the other, in the order of arrival; of different keys at the same time. */
export class KeyedMutex {
  private readonly queues = new Map<string, Queue>();

  /** @param maxLength how much work of one key may be there at once, the running one included */
  constructor(private readonly maxLength: number) {}

  /** How many keys have work; 0 when nothing is going on. */
  get size(): number {
    return this.queues.size;
  }

  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const queue = this.queues.get(key) ?? { tail: Promise.resolve(), length: 0 };
    if (queue.length >= this.maxLength) throw new QueueFullError();
    this.queues.set(key, queue);
    queue.length++;
    const turn = queue.tail.then(work);
    // One that fails does not hold up the next.
    queue.tail = turn.catch(() => undefined);
    try {
      return await turn;
    } finally {
      queue.length--;
      if (queue.length === 0) this.queues.delete(key);
    }
  }
}
