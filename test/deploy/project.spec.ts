/** package.json is the one place that names the owner and the version. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  ownersIn,
  packageFile,
  projectOf,
  readProject,
  STATING_FILES,
  withProject,
} from '../../docs/generate/project.js';
import { ROOT } from './dockerfile.js';

const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');
const project = readProject();

/** Every text file of the repository but this one, which spells owners wrongly on purpose. */
function textFiles(): string[] {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: ROOT });
  const deleted = execFileSync('git', ['ls-files', '-z', '--deleted'], { cwd: ROOT }).toString().split('\0');
  const own = 'test/deploy/project.spec.ts';
  return listed
    .toString()
    .split('\0')
    .filter((file) => file !== '' && file !== own && !deleted.includes(file));
}

describe('the owner', () => {
  it('is spelled as in package.json wherever the repository names it', () => {
    const others = textFiles().flatMap((file) =>
      ownersIn(read(file))
        .filter((owner) => owner.toLowerCase() !== project.owner.toLowerCase())
        .map((owner) => `${file}: ${owner}`),
    );
    expect(others).toEqual([]);
  });

  it('is named in every file that "npm run docs" updates with it, or the version is', () => {
    const changed = { ...project, owner: 'Somebody', version: '99.0.0' };
    expect(STATING_FILES.filter((file) => withProject(read(file), changed) === read(file))).toEqual([]);
  });

  it.each([
    ['https://github.com/stranger/managed-agent-control/issues', 'stranger'],
    ['git+https://github.com/stranger/managed-agent-control.git', 'stranger'],
    ['image: ghcr.io/stranger/managed-agent-control:1', 'stranger'],
    ['oci://ghcr.io/stranger/charts/managed-agent-control', 'stranger'],
    ['"io.github.stranger/managed-agent-control"', 'stranger'],
    ['* @stranger/maintainers', 'stranger'],
  ])('is found in %s', (text, owner) => {
    expect(ownersIn(text)).toEqual([owner]);
    expect(ownersIn(withProject(text, project))).toEqual([project.owner]);
  });

  it('follows from "repository" alone', () => {
    const moved = { ...project, repository: { type: 'git', url: 'git+https://github.com/Acme/agents.git' } };
    expect(projectOf(moved)).toMatchObject({
      owner: 'Acme',
      homepage: 'https://github.com/Acme/agents#readme',
      bugs: { url: 'https://github.com/Acme/agents/issues' },
      mcpName: 'io.github.Acme/agents',
      config: { image: 'ghcr.io/acme/agents', charts: 'oci://ghcr.io/acme/charts' },
    });
    expect(JSON.parse(packageFile(JSON.stringify(moved)))).toMatchObject({ mcpName: 'io.github.Acme/agents' });
  });
});

describe('the version', () => {
  it('is the one of the lock file', () => {
    const lock = JSON.parse(read('package-lock.json')) as { version: string; packages: Record<string, object> };
    expect(lock).toMatchObject({ version: project.version, packages: { '': { version: project.version } } });
  });

  it('is the newest dated one of the changelog', () => {
    const dated = [...read('CHANGELOG.md').matchAll(/^## \[(\d+\.\d+\.\d+)\] - (\d{4}-\d\d-\d\d)$/gm)];
    expect(dated[0]?.[1]).toBe(project.version);
    const dates = dated.map(([, , date]) => date!);
    expect(dates).toEqual([...dates].sort().reverse());
  });
});
