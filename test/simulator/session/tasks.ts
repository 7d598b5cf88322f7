import type { SimulatorClock } from '../clock.js';

/** Where a program rests. Without a condition it goes on at the next step. */
export interface Pause {
  until?: () => boolean;
  /** Set while the pause waits for the clock rather than for a client. */
  cancel?: () => void;
}

/** Work in small steps: what happens between two yields happens in one burst. */
export type Program = Generator<Pause, void, void>;

export const PHASE: Pause = {};
export const until = (condition: () => boolean): Pause => ({ until: condition });

export class Task {
  pause: Pause = PHASE;
  done = false;
  private stepping = false;

  constructor(private readonly program: Program) {}

  get ready(): boolean {
    return !this.done && (this.pause.until?.() ?? true);
  }

  get sleeping(): boolean {
    return !this.ready && this.pause.cancel !== undefined;
  }

  step(): void {
    this.stepping = true;
    try {
      const next = this.program.next();
      if (next.done) this.done = true;
      else this.pause = next.value;
    } finally {
      this.stepping = false;
    }
  }

  cancel(): void {
    this.pause.cancel?.();
    this.done = true;
    // A program that ends its own session runs on to its next pause and is not resumed.
    if (!this.stepping) this.program.return();
  }
}

/** The programs of one session, taking turns. */
export class Tasks {
  private tasks: Task[] = [];

  constructor(
    private readonly clock: SimulatorClock,
    private readonly wake: () => void,
  ) {}

  start(program: Program): Task {
    const task = new Task(program);
    this.tasks.push(task);
    this.wake();
    return task;
  }

  get ready(): boolean {
    return this.tasks.some((task) => task.ready);
  }

  get sleeping(): boolean {
    return this.tasks.some((task) => task.sleeping);
  }

  step(): boolean {
    const task = this.tasks.find(({ ready }) => ready);
    if (!task) return false;
    task.step();
    const others = this.tasks.filter((other) => other !== task && !other.done);
    this.tasks = task.done ? others : [...others, task];
    return true;
  }

  sleep(ms: number): Pause {
    let awake = ms <= 0;
    if (awake) return PHASE;
    const cancel = this.clock.schedule(ms, () => {
      awake = true;
      this.wake();
    });
    return { until: () => awake, cancel };
  }

  cancelAll(): void {
    for (const task of this.tasks) task.cancel();
    this.tasks = [];
  }
}
