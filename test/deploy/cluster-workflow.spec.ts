import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { ROOT, stages } from './dockerfile.js';

const VERIFY = join(ROOT, 'deploy', 'helm', 'verify');
const text = readFileSync(join(ROOT, '.github', 'workflows', 'cluster.yml'), 'utf8');
const workflow = parse(text) as {
  permissions: object;
  jobs: Record<string, { permissions: object; steps: { uses?: string; run?: string }[] }>;
};
const steps = Object.values(workflow.jobs).flatMap((job) => job.steps);

describe('the workflow with a cluster', () => {
  it('may read the sources and nothing else, and pins what it uses', () => {
    expect(workflow.permissions).toEqual({});
    for (const { permissions } of Object.values(workflow.jobs)) expect(permissions).toEqual({ contents: 'read' });
    for (const { uses } of steps) if (uses !== undefined) expect(uses).toMatch(/@[0-9a-f]{40}$/);
  });

  it('builds stages that there are, and runs scripts that there are', () => {
    const commands = steps.map(({ run = '' }) => run).join('\n');
    for (const [, target] of commands.matchAll(/--target (\S+)/g)) expect(stages().has(target!)).toBe(true);
    const scripts = [...commands.matchAll(/^\.\/(deploy\/\S+)/gm)].map(([, script]) => script!);
    expect(scripts).toEqual(['deploy/helm/verify/kind']);
  });
});

describe.each(['run', 'kind'])('deploy/helm/verify/%s', (name) => {
  const file = join(VERIFY, name);

  it('is a script that the shell takes', () => {
    expect(() => accessSync(file, constants.X_OK)).not.toThrow();
    expect(spawnSync('bash', ['-n', file])).toMatchObject({ status: 0 });
  });

  it('names a chart and objects that there are', () => {
    const script = readFileSync(file, 'utf8');
    expect(existsSync(join(ROOT, /CHART=(\S+)/.exec(script)![1]!, 'Chart.yaml'))).toBe(true);
    for (const [, values] of script.matchAll(/\$CHART"?\/(ci\/\w[\w-]*\.yaml)/g)) {
      expect(existsSync(join(ROOT, 'deploy', 'helm', 'managed-agent-control', values!))).toBe(true);
    }
  });
});
