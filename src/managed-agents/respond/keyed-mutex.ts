import { ExpectedError } from '../../context/expected-error.js';

/** Thrown when the queue of a key is full. */
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

/**
 * Runs the work of one key in order of arrival, and the work of different keys in parallel. Not a library: `async-mutex`
 * has neither keys nor a bounded queue, and `async-lock` reports a full queue only as text. A run costs about a
 * microsecond, before a call that makes three requests to the API.
 */
export class KeyedMutex {
  private readonly queues = new Map<string, Queue>();

  /** @param maxLength how many runs of one key may be queued, the running one included */
  constructor(private readonly maxLength: number) {}

  /** How many keys have queued or running work. */
  get size(): number {
    return this.queues.size;
  }

  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const queue = this.queues.get(key) ?? { tail: Promise.resolve(), length: 0 };
    if (queue.length >= this.maxLength) throw new QueueFullError();
    this.queues.set(key, queue);
    queue.length++;
    const run = queue.tail.then(work);
    // A failed run does not block the next one.
    queue.tail = run.catch(() => undefined);
    try {
      return await run;
    } finally {
      queue.length--;
      if (queue.length === 0) this.queues.delete(key);
    }
  }
}
