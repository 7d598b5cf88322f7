import 'reflect-metadata';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { configurationPage, envExample } from './configuration.js';
import { bundleManifest, registryEntry } from './packages.js';
import { chartFiles } from './helm/chart.js';
import { metricsTable } from './metrics.js';
import { packageFile, readProject, STATING_FILES, withProject } from './project.js';
import { toolsPage, toolTable } from './tools.js';

const ROOT = join(__dirname, '..', '..');
const METRICS = /(<!-- metrics -->\n)[\s\S]*?(\n<!-- \/metrics -->)/;
const TABLE = /(<!-- tools -->\n)[\s\S]*?(\n<!-- \/tools -->)/;

/** Writes the generated pages; with `--check`, fails when one differs from what it should be. */
async function main(check: boolean): Promise<void> {
  const observability = read('docs/observability.md');
  const readme = read('README.md');
  const project = readProject();
  // Before the other pages, some of which are generated from these.
  const stating = Object.fromEntries(STATING_FILES.map((file) => [file, withProject(read(file), project)]));
  const pages: Record<string, string> = {
    'package.json': packageFile(read('package.json')),
    ...(await formatted(stating)),
    'docs/configuration.md': await markdown(configurationPage()),
    'docs/observability.md': await markdown(observability.replace(METRICS, `$1\n${metricsTable()}\n$2`)),
    'docs/tools.md': await markdown(toolsPage()),
    'README.md': await markdown(readme.replace(TABLE, `$1\n${toolTable()}\n$2`)),
    '.env.example': envExample(),
    'server.json': await json(registryEntry()),
    'deploy/mcpb/manifest.json': await json(bundleManifest()),
    ...(await formatted(chartFiles((file) => stating[file] ?? read(file)))),
  };
  const stale = Object.entries(pages).filter(([file, text]) => current(file) !== text);
  if (check && stale.length > 0) {
    console.error(`Out of date: ${stale.map(([file]) => file).join(', ')}. Run "npm run docs" and commit the result.`);
    process.exitCode = 1;
    return;
  }
  for (const [file, text] of stale) writeFileSync(join(ROOT, file), text);
  console.log(
    check ? 'The generated pages are up to date.' : `Wrote ${stale.length} of ${Object.keys(pages).length} pages.`,
  );
}

function read(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8');
}

function current(file: string): string | undefined {
  return existsSync(join(ROOT, file)) ? read(file) : undefined;
}

async function formatted(files: Record<string, string>): Promise<Record<string, string>> {
  const options = await resolveConfig(join(ROOT, 'README.md'));
  const entries = Object.entries(files).map(async ([filepath, text]) =>
    /\.(md|json)$|Chart\.yaml$/.test(filepath)
      ? [filepath, await format(text, { ...options, filepath })]
      : [filepath, text],
  );
  return Object.fromEntries(await Promise.all(entries)) as Record<string, string>;
}

async function markdown(text: string): Promise<string> {
  return format(text, { ...(await resolveConfig(join(ROOT, 'README.md'))), parser: 'markdown' });
}

async function json(value: object): Promise<string> {
  return format(JSON.stringify(value), { ...(await resolveConfig(join(ROOT, 'server.json'))), parser: 'json' });
}

void main(process.argv.includes('--check'));
