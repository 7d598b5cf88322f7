import { existsSync, readFileSync } from 'node:fs';
import { SourceMap, type SourceMapPayload } from 'node:module';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ROOT } from './compile.js';

/** The parts of a V8 CPU profile that are used here. */
export interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  readonly samples: readonly number[];
  /** Microseconds between the samples. */
  readonly timeDeltas: readonly number[];
}

interface ProfileNode {
  readonly id: number;
  readonly callFrame: {
    readonly functionName: string;
    readonly url: string;
    readonly lineNumber: number;
    readonly columnNumber: number;
  };
  readonly children?: readonly number[];
}

/** A function, wherever it was called from. */
export interface Frame {
  readonly name: string;
  /** A package, `src`, `node` for its library, or what V8 calls its own work, such as `(garbage collector)`. */
  readonly owner: string;
  readonly place: string;
  readonly selfMs: number;
  /** With what it called; counted once where it called itself. */
  readonly totalMs: number;
}

export function framesOf({ nodes, samples, timeDeltas }: CpuProfile): Frame[] {
  const selfOf = new Map<number, number>();
  samples.forEach((id, index) => selfOf.set(id, (selfOf.get(id) ?? 0) + (timeDeltas[index] ?? 0) / 1000));
  const parentOf = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)));
  const keyOf = new Map(nodes.map(({ id, callFrame }) => [id, JSON.stringify(callFrame)]));
  const times = new Map<string, { selfMs: number; totalMs: number }>();
  for (const [id, ms] of selfOf) {
    const stack = new Set<string>();
    for (let at: number | undefined = id; at !== undefined; at = parentOf.get(at)) stack.add(keyOf.get(at) ?? '');
    for (const key of stack) {
      const time = times.get(key) ?? { selfMs: 0, totalMs: 0 };
      times.set(key, time);
      time.totalMs += ms;
      if (key === keyOf.get(id)) time.selfMs += ms;
    }
  }
  return [...times].map(([key, time]) => ({ ...describe(JSON.parse(key) as ProfileNode['callFrame']), ...time }));
}

function describe(frame: ProfileNode['callFrame']): Pick<Frame, 'name' | 'owner' | 'place'> {
  const name = frame.functionName || '(anonymous)';
  if (frame.url === '') return { name, owner: name.startsWith('(') ? name : 'V8 and C++', place: '' };
  if (frame.url.startsWith('node:')) return { name, owner: 'node', place: `${frame.url}:${frame.lineNumber + 1}` };
  const file = relative(ROOT, frame.url.startsWith('file:') ? fileURLToPath(frame.url) : frame.url);
  if (file.startsWith('build/')) return { name, owner: 'src', place: sourcePlace(file, frame) };
  const inPackage = /.*node_modules\/((?:@[^/]+\/)?[^/]+)\/(.*)/.exec(file);
  const place = `${inPackage?.[2] ?? file}:${frame.lineNumber + 1}`;
  return { name, owner: inPackage?.[1] ?? 'other', place };
}

const maps = new Map<string, SourceMap | undefined>();

/** The line in src that a line of build was built from. */
function sourcePlace(file: string, { lineNumber, columnNumber }: ProfileNode['callFrame']): string {
  if (!maps.has(file)) {
    const path = join(ROOT, `${file}.map`);
    const payload = existsSync(path) && (JSON.parse(readFileSync(path, 'utf8')) as SourceMapPayload);
    maps.set(file, payload ? new SourceMap(payload) : undefined);
  }
  const entry = maps.get(file)?.findEntry(lineNumber, columnNumber);
  const line = entry && 'originalLine' in entry ? entry.originalLine + 1 : undefined;
  return line === undefined ? file : `${file.replace(/^build/, 'src').replace(/\.js$/, '.ts')}:${line}`;
}
