import { execFile } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, posix, relative } from 'node:path';
import { promisify } from 'node:util';
import { type CopyStep, isIgnored, ROOT, type Stage, stages } from './dockerfile.js';

const run = promisify(execFile);
const BUILD_FOLDER = '/src';

/**
 * What `docker build` would put together, without Docker: each stage is a folder that holds only what the Dockerfile
 * copies into it (and .dockerignore lets through), with the RUN lines that need no network carried out.
 */
export class Image {
  private constructor(
    private readonly folder: string,
    private readonly built: Map<string, string>,
  ) {}

  static async build(): Promise<Image> {
    const image = new Image(mkdtempSync(join(tmpdir(), 'image-')), new Map());
    chmodSync(image.folder, 0o755);
    const all = stages();
    for (const name of ['build', 'build-simulator', 'simulator', 'server']) await image.submit(all.get(name)!);
    return image;
  }

  /** The root file system that a stage adds to its base. */
  root(stage: string): string {
    return this.built.get(stage)!;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }

  private async submit(stage: Stage): Promise<void> {
    const root = join(this.folder, stage.name);
    const before = this.built.get(stage.base);
    if (before) cpSync(before, root, { recursive: true, verbatimSymlinks: true });
    const workdir = stage.text('WORKDIR') ?? BUILD_FOLDER;
    mkdirSync(join(root, workdir), { recursive: true });
    for (const copy of stage.copies()) this.copy(copy, posix.resolve(workdir, copy.target), root);
    for (const command of stage.texts('RUN')) {
      // What `npm ci` would fetch is on this machine already.
      if (command.includes('npm ci')) symlinkSync(join(ROOT, 'node_modules'), join(root, workdir, 'node_modules'));
      else await run('sh', ['-c', command], { cwd: join(root, workdir) });
    }
    this.built.set(stage.name, root);
  }

  private copy({ from, sources, target }: CopyStep, resolved: string, root: string): void {
    const intoFolder = target.endsWith('/') || sources.length > 1;
    for (const source of sources) {
      const path = from === undefined ? join(ROOT, source) : join(this.root(from), source);
      const to = join(root, resolved, intoFolder ? posix.basename(source) : '');
      if (!existsSync(path)) throw new Error(`COPY ${source}: there is no ${path}`);
      const filter = (file: string) => from !== undefined || !isIgnored(relative(ROOT, file)) || isAbove(file);
      if (from === undefined && isIgnored(source)) throw new Error(`COPY ${source}: .dockerignore leaves it out`);
      cpSync(path, to, { recursive: true, filter });
    }
  }
}

/** A folder is left out with what is in it, not by itself. */
function isAbove(path: string): boolean {
  return statSync(path).isDirectory();
}

/** Every file below a folder, relative to it. */
export function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
}

export function bytesIn(folder: string): number {
  return filesIn(folder).reduce((sum, file) => sum + statSync(join(folder, file)).size, 0);
}
