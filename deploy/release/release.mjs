import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { zipSync } from 'fflate';

/**
 * Makes every file of a release in build/release (or the folder that is named): the npm package, the MCPB bundle, the
 * function for AWS Lambda, the Helm chart, a list of the packages in the bundle (SBOM), the notes, and SHA256SUMS.
 *
 *   npm run release -- [--tag v1.2.3] [--repository owner/name] [folder]
 *
 * With the tag and the repository it first checks that they are those that package.json and CHANGELOG.md state.
 */
const { values: options, positionals } = parseArgs({
  options: { tag: { type: 'string' }, repository: { type: 'string' } },
  allowPositionals: true,
});
const project = JSON.parse(readFileSync('package.json', 'utf8'));
const notes = check(options);
const folder = resolve(positionals[0] ?? 'build/release');
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });

const name = project.name.replace(/-mcp$/, '');
const file = (suffix) => join(folder, `${name}-${project.version}${suffix}`);

const staged = mkdtempSync(join(tmpdir(), 'release-'));
run(process.execPath, 'deploy/npm/package.mjs', staged);
run('npm', 'pack', staged, '--silent', '--pack-destination', folder);
rmSync(staged, { recursive: true });
run(process.execPath, 'deploy/mcpb/pack.mjs', file('.mcpb'));
writeFileSync(file('-lambda.zip'), lambdaZip());
run('helm', 'package', `deploy/helm/${name}`, '--destination', folder);
copyFileSync('dist/sbom.cdx.json', file('.cdx.json'));
const sums = readdirSync(folder).map((asset) => `${sha256(join(folder, asset))}  ${asset}\n`);
writeFileSync(join(folder, 'SHA256SUMS'), sums.join(''));
writeFileSync(join(folder, 'NOTES.md'), notes);
console.log(`${project.version} lies in ${folder}:\n${sums.join('')}`);

/** The notes of this version. Fails when what is to be released is not what the repository states. */
function check({ tag, repository }) {
  const { version } = project;
  const [, owner] = /github\.com\/(.+)\.git$/.exec(project.repository.url) ?? [];
  if (tag !== undefined && tag !== `v${version}`) fail(`The tag is ${tag}, but package.json has version ${version}.`);
  if (repository !== undefined && repository.toLowerCase() !== owner?.toLowerCase()) {
    fail(`This is ${repository}, but package.json names ${owner}. Change "repository" there and run "npm run docs".`);
  }
  const heading = new RegExp(`^## \\[${version.replaceAll('.', '\\.')}\\] - \\d{4}-\\d\\d-\\d\\d\\n`, 'm');
  const [, section] = readFileSync('CHANGELOG.md', 'utf8').split(heading);
  if (section === undefined) fail(`CHANGELOG.md has no dated section for ${version}.`);
  return `${section.split(/^(?:## \[|\[[^\]]+\]: )/m)[0].trim()}\n`;
}

/** The same sources make the same bytes: the time is fixed. Lambda runs as a user who may only read. */
function lambdaZip() {
  const contents = ['dist/lambda.js', 'dist/THIRD-PARTY-LICENSES.txt', 'LICENSE'];
  const readable = { os: 3, attrs: (0o100644 << 16) >>> 0, mtime: new Date(1980, 0, 1), level: 9 };
  const entries = contents.map((path) => [path.replace('dist/', ''), [readFileSync(path), readable]]);
  return zipSync(Object.fromEntries(entries));
}

function sha256(path) {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

/** Runs a command to its end. */
function run(command, ...args) {
  const { error, status } = spawnSync(command, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  if (error?.code === 'ENOENT')
    fail(`${command} is not installed; ".ci/go-tool ${command}" builds it where there is Go.`);
  if (error || status !== 0) fail(`${[command, ...args].join(' ')} failed (${error?.message ?? `status ${status}`}).`);
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
