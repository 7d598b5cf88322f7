import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { parse } from 'yaml';
import { ROOT } from './dockerfile.js';

interface Job {
  readonly permissions?: Record<string, string>;
  readonly 'timeout-minutes'?: number;
  readonly uses?: string;
  readonly steps?: readonly {
    readonly uses?: string;
    readonly run?: string;
    readonly with?: Record<string, unknown>;
  }[];
}

interface Workflow {
  readonly permissions: object;
  readonly jobs: Record<string, Job>;
}

const FOLDER = join(ROOT, '.github', 'workflows');
const FILES = readdirSync(FOLDER);
const read = (...path: string[]) => readFileSync(join(ROOT, ...path), 'utf8');
const workflow = (file: string) => parse(read('.github/workflows', file)) as Workflow;
const jobs = FILES.flatMap((file) => Object.entries(workflow(file).jobs).map(([name, job]) => ({ file, name, job })));
const steps = jobs.flatMap(({ file, job }) => (job.steps ?? []).map((step) => ({ file, ...step })));

/** Commands of workflows and of what they call. */
const commands = [...steps.flatMap(({ run }) => run ?? []), read('.ci/run')].join('\n');

function found(...candidates: string[]): string | undefined {
  return candidates.find((command) => spawnSync(command, ['--version']).status === 0);
}

function goPrograms(): string {
  try {
    return join(execFileSync('go', ['env', 'GOPATH']).toString().trim(), 'bin');
  } catch {
    return '/usr/local/bin';
  }
}

const actionlint = found('actionlint', join(goPrograms(), 'actionlint'));
const checked = actionlint === undefined ? it.skip : it;
checked(`actionlint finds nothing${actionlint === undefined ? ' (actionlint is not installed)' : ''}`, () => {
  const { stdout, status } = spawnSync(actionlint!, ['-no-color'], { cwd: ROOT, encoding: 'utf8' });
  expect(stdout).toBe('');
  expect(status).toBe(0);
});

it('every npm script that they run is in package.json', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  const named = [...commands.matchAll(/npm (?:run )?(?:(?<=run )([\w:]+)|(test)\b)/g)].map(
    ([, run, test]) => run ?? test!,
  );
  expect(named).toEqual(expect.arrayContaining(['build', 'lint', 'release', 'test']));
  expect(named.filter((name) => !(name in scripts))).toEqual([]);
});

it('every file of the repository that they name is there', () => {
  const paths = [...commands.matchAll(/(?<![\w./-])((?:\.ci|deploy|test)\/[\w./-]+)/g)].map(([, path]) => path!);
  expect(paths).toEqual(expect.arrayContaining(['.ci/go-tool', 'deploy/docker/Dockerfile']));
  expect(paths.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
});

it.each(FILES)('%s names every action of others by the commit of a version', (file) => {
  const uses = [...read('.github/workflows', file).matchAll(/uses: (.+)/g)].map(([, action]) => action!);
  expect(uses.length).toBeGreaterThan(0);
  const loose = uses.filter((action) => !/^(\.\/|[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$)/.test(action));
  expect(loose).toEqual([]);
});

it('one action has one version in all of them', () => {
  const versions = new Map<string, Set<string>>();
  for (const { uses } of steps) {
    const [action, commit] = uses?.split('@') ?? [];
    if (action && commit) versions.set(action, (versions.get(action) ?? new Set()).add(commit));
  }
  expect([...versions].filter(([, commits]) => commits.size > 1)).toEqual([]);
});

it('no job has a permission that it does not name, and each of them ends', () => {
  for (const file of FILES) expect([file, workflow(file).permissions]).toEqual([file, {}]);
  for (const { file, name, job } of jobs) {
    expect([file, name, job.permissions]).toEqual([file, name, expect.any(Object)]);
    if (job.uses === undefined) expect([file, name, job['timeout-minutes']]).toEqual([file, name, expect.any(Number)]);
  }
  const writing = jobs.filter(({ job }) => Object.values(job.permissions!).includes('write'));
  expect(new Set(writing.map(({ file }) => file))).toEqual(new Set(['codeql.yml', 'release.yml']));
});

it('no checkout leaves its token behind, and no command contains what others may have written', () => {
  const checkouts = steps.filter(({ uses }) => uses?.startsWith('actions/checkout@'));
  expect(checkouts.length).toBeGreaterThan(0);
  for (const { with: inputs } of checkouts) expect(inputs).toMatchObject({ 'persist-credentials': false });
  expect(steps.filter(({ run }) => run?.includes('${{'))).toEqual([]);
});

it('CI runs what engines and .nvmrc promise', () => {
  const ci = read('.github/workflows/ci.yml');
  expect(ci).toContain(`'${read('.nvmrc').trim()}'`);
  const { engines } = JSON.parse(read('package.json')) as { engines: { node: string } };
  expect(ci).toContain(`node: '${engines.node.replace('>=', '')}'`);
});

describe('Renovate', () => {
  const config = runInNewContext(`(${read('.github/renovate.json5')})`) as {
    customManagers: { managerFilePatterns: string[]; matchStrings: string[] }[];
  };

  it('finds every tool that is built with Go', () => {
    const [manager] = config.customManagers;
    expect(manager!.managerFilePatterns).toEqual(['/^\\.ci/go-tools$/']);
    const tools = read('.ci/go-tools');
    const matches = [...tools.matchAll(new RegExp(manager!.matchStrings[0]!, 'g'))];
    expect(matches.map(({ groups }) => groups!.currentValue)).toEqual(tools.match(/v\d+\.\d+\.\d+$/gm));
  });
});

it('.ci/go-tool names what it cannot build', () => {
  const { status, stderr } = spawnSync(join(ROOT, '.ci', 'go-tool'), ['nothing'], { encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 1, stderr: '.ci/go-tools lists no nothing\n' });
});

it('the list of words that the spell checker takes is sorted, each once and in lower case', () => {
  const words = read('cspell-words.txt').trimEnd().split('\n');
  expect(words).toEqual([...new Set(words.map((word) => word.toLowerCase()))].sort());
});
