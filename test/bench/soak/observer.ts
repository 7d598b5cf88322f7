import { type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { median } from '../load.js';
import { sleep, usageOf } from '../process.js';

const SAMPLE_EVERY_MS = 1000;
/** The heap is looked at a few times, this far apart: calls under way make it differ from moment to moment. */
const HEAP_LOOKS = 5;
const BETWEEN_LOOKS_MS = 500;

/** What the server process holds, at a time in seconds since the load began. */
export interface Sample {
  readonly at: number;
  readonly residentMb: number;
  readonly descriptors: number;
}

export interface HeapSample {
  readonly at: number;
  /** After a full collection. */
  readonly heapMb: number;
}

/** Watches the server from outside, once a second. */
export class Observer {
  readonly samples: Sample[] = [];
  readonly heaps: HeapSample[] = [];
  private readonly startedAt = performance.now();
  private readonly timer = setInterval(() => this.sample(), SAMPLE_EVERY_MS);

  constructor(private readonly server: ChildProcess) {}

  get seconds(): number {
    return (performance.now() - this.startedAt) / 1000;
  }

  /** Full collections change what is resident, so this belongs where nobody looks at that. */
  async lookAtHeap(): Promise<void> {
    const looks: number[] = [];
    for (let look = 0; look < HEAP_LOOKS; look += 1) {
      this.server.send('heap?');
      const [{ heapMb }] = (await once(this.server, 'message')) as [{ heapMb: number }];
      looks.push(heapMb);
      await sleep(BETWEEN_LOOKS_MS);
    }
    this.heaps.push({ at: this.seconds, heapMb: median(looks) });
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private sample(): void {
    const usage = usageOf(this.server);
    if (!usage) throw new Error('what a process holds can be read from /proc only; run this on Linux');
    const descriptors = readdirSync(`/proc/${this.server.pid}/fd`).length;
    this.samples.push({ at: this.seconds, residentMb: usage.residentMb, descriptors });
  }
}
