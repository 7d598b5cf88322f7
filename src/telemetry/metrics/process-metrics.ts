import { readdirSync } from 'node:fs';
import { constants, type IntervalHistogram, monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { OpenTelemetry } from '../open-telemetry.js';
import { Instruments, type Observation } from './instruments.js';

const OPEN_FILES = '/proc/self/fd';
const STARTED_AT = Date.now() / 1000 - process.uptime();
const NANOSECONDS = 1e9;
/** How often the delay of the event loop is measured, in milliseconds. It is subtracted from each measurement. */
const RESOLUTION_MS = 10;

const GC_KINDS: Readonly<Record<number, string>> = {
  [constants.NODE_PERFORMANCE_GC_MINOR]: 'minor',
  [constants.NODE_PERFORMANCE_GC_MAJOR]: 'major',
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL]: 'incremental',
  [constants.NODE_PERFORMANCE_GC_WEAKCB]: 'weakcb',
};

/**
 * Resources the process uses, under the names that Prometheus clients use.
 *
 * Not `@opentelemetry/instrumentation-runtime-node` (0.36.0, the last for this SDK): its metrics have other names
 * (`nodejs.eventloop.delay.p99`, `v8js.gc.duration`, …), which dashboards and alerts do not know, and it has none for CPU,
 * resident memory, descriptors, the heap limit and the start time. It adds 91 KB to the bundle, mostly loader hooks.
 */
@Injectable()
export class ProcessMetrics implements OnApplicationShutdown {
  private readonly delay?: IntervalHistogram;
  private readonly collections?: PerformanceObserver;

  constructor(telemetry: OpenTelemetry) {
    if (!telemetry.measuring) return;
    const instruments = new Instruments(telemetry.meter);
    this.delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    this.delay.enable();
    this.collections = observeCollections(instruments);
    observeProcess(instruments);
    instruments.observed('eventLoopDelay', () => this.eventLoopDelay());
  }

  onApplicationShutdown(): void {
    this.delay?.disable();
    this.collections?.disconnect();
  }

  /** Since the last collection. With two readers, each gets only what was measured since the other one read. */
  private eventLoopDelay(): Observation[] {
    const { delay } = this;
    if (!delay || delay.count === 0) return [];
    const seconds = (nanoseconds: number) => Math.max(0, nanoseconds / NANOSECONDS - RESOLUTION_MS / 1000);
    const observations: Observation[] = [
      [seconds(delay.percentile(50)), { percentile: '50' }],
      [seconds(delay.percentile(99)), { percentile: '99' }],
      [seconds(delay.max), { percentile: '100' }],
    ];
    delay.reset();
    return observations;
  }
}

function observeProcess(instruments: Instruments): void {
  instruments.observed('cpu', () => {
    const { user, system } = process.cpuUsage();
    return [[(user + system) / 1e6]];
  });
  instruments.observed('residentMemory', () => [[process.memoryUsage.rss()]]);
  instruments.observed('heapUsed', () => [[getHeapStatistics().used_heap_size]]);
  instruments.observed('heapLimit', () => [[getHeapStatistics().heap_size_limit]]);
  instruments.observed('startTime', () => [[STARTED_AT]]);
  if (process.platform === 'linux') instruments.observed('openFiles', () => [[readdirSync(OPEN_FILES).length]]);
}

function observeCollections(instruments: Instruments): PerformanceObserver {
  const record = instruments.histogram('gcDuration');
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      // The type lacks the detail of this kind of entry.
      const { kind } = (entry as unknown as { readonly detail: { readonly kind: number } }).detail;
      record(entry.duration / 1000, { kind: GC_KINDS[kind] ?? 'other' });
    }
  });
  observer.observe({ entryTypes: ['gc'] });
  return observer;
}
