/** What the release workflow publishes, made by the command it runs. */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { strFromU8, unzipSync } from 'fflate';
import { parse } from 'yaml';
import { readProject } from '../../docs/generate/project.js';
import { ROOT } from './dockerfile.js';
import { describeChart } from './helm/chart.js';

const { name, version, owner, url } = readProject();
const repository = url.replace('https://github.com/', '');
const NAME = name.replace(/-mcp$/, '');

function release(...args: string[]) {
  return spawnSync(process.execPath, ['deploy/release/release.mjs', ...args], { cwd: ROOT, encoding: 'utf8' });
}

it.each([
  ['another tag', ['--tag', 'v99.0.0'], `The tag is v99.0.0, but package.json has version ${version}.`],
  ['another repository', ['--repository', `stranger/${NAME}`], `package.json names ${repository}.`],
])('%s than package.json states is refused before anything is made', (_, args, message) => {
  const { status, stderr } = release(...args);
  expect(status).toBe(1);
  expect(stderr).toContain(message);
});

describeChart('the files of a release', () => {
  let folder: string;
  const file = (asset: string) => readFileSync(join(folder, asset));

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'release-'));
    const { status, stderr } = release('--tag', `v${version}`, '--repository', repository, folder);
    if (status !== 0) throw new Error(stderr);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('are these, and SHA256SUMS has the sums of those that are published', () => {
    const published = [
      `${name}-${version}.tgz`,
      `${NAME}-${version}-lambda.zip`,
      `${NAME}-${version}.cdx.json`,
      `${NAME}-${version}.mcpb`,
      `${NAME}-${version}.tgz`,
    ];
    expect(readdirSync(folder).sort()).toEqual(['NOTES.md', 'SHA256SUMS', ...published].sort());
    const sums = published.map((asset) => `${createHash('sha256').update(file(asset)).digest('hex')}  ${asset}`);
    expect(file('SHA256SUMS').toString().trim().split('\n').sort()).toEqual(sums.sort());
  });

  it('have the function at the root of its zip, with the licenses of what is in it', () => {
    const entries = unzipSync(file(`${NAME}-${version}-lambda.zip`));
    expect(Object.keys(entries)).toEqual(['lambda.js', 'THIRD-PARTY-LICENSES.txt', 'LICENSE']);
    expect(strFromU8(entries['lambda.js']!)).toBe(readFileSync(join(ROOT, 'dist', 'lambda.js'), 'utf8'));
  });

  it('have an npm package that names its repository, which provenance is checked against', () => {
    const tarball = join(folder, `${name}-${version}.tgz`);
    const manifest = JSON.parse(execFileSync('tar', ['-xzOf', tarball, 'package/package.json']).toString()) as object;
    expect(manifest).toMatchObject({ name, version, repository: { url: `git+${url}.git` } });
  });

  it('have a chart of this version, which installs the image of this version and owner', () => {
    const read = (path: string) =>
      parse(
        execFileSync('tar', ['-xzOf', join(folder, `${NAME}-${version}.tgz`), `${NAME}/${path}`]).toString(),
      ) as object;
    expect(read('Chart.yaml')).toMatchObject({ version, appVersion: version, home: url, sources: [url] });
    expect(read('values.yaml')).toMatchObject({
      image: { repository: `ghcr.io/${owner.toLowerCase()}/${NAME}`, tag: '' },
    });
  });

  it('have the section of the changelog as notes, and a list of the packages in the bundle', () => {
    expect(file('NOTES.md').toString()).toMatch(/^### /);
    expect(file('NOTES.md').toString()).not.toMatch(/^## /m);
    const sbom = JSON.parse(file(`${NAME}-${version}.cdx.json`).toString()) as { components: { name: string }[] };
    const packages = sbom.components.map((component) => component.name);
    expect(packages).toEqual(expect.arrayContaining(['fastify', 'zod', '@anthropic-ai/sdk']));
    expect(packages).not.toContain('jest');
    const licenses = readFileSync(join(ROOT, 'dist', 'THIRD-PARTY-LICENSES.txt'), 'utf8');
    expect(packages.filter((bundled) => !licenses.includes(`\n${bundled} `))).toEqual([]);
  });
});
