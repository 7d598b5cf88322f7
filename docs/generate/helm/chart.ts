import { readProject } from '../project.js';
import { chartManifest } from './chart-manifest.js';
import { plainSettings, secretSettings, settingNames, valuesSchema } from './values-schema.js';
import { valuesTable } from './values-table.js';

const CHART = 'deploy/helm/managed-agent-control';
const ALERTS = 'deploy/observability/alerts.yaml';

/** The generated files of the Helm chart, by path. Markdown and JSON are not formatted yet. */
export function chartFiles(read: (file: string) => string): Record<string, string> {
  const readme = between(read(`${CHART}/README.md`), {
    values: valuesTable(read(`${CHART}/values.yaml`)),
    settings: listOf(plainSettings().map(({ env, summary }) => [env, summary])),
    secrets: listOf(secretSettings().map(({ name, summary }) => [name, summary])),
  });
  return {
    [`${CHART}/README.md`]: readme,
    [`${CHART}/Chart.yaml`]: chartManifest(readProject(), read(`${CHART}/values.yaml`)),
    [`${CHART}/values.schema.json`]: valuesSchema(read(`${CHART}/values.schema.json`), read(ALERTS)),
    [`${CHART}/files/settings.txt`]: settingNames(),
    // A chart reaches no file outside of itself.
    [`${CHART}/files/alerts.yaml`]: `# Generated from ${ALERTS} by "npm run docs".\n${read(ALERTS)}`,
  };
}

function listOf(entries: [string, string][]): string {
  const rows = entries.map(([name, summary]) => `| \`${name}\` | ${firstSentence(summary).replaceAll('|', '\\|')} |`);
  return ['| Name | Meaning |', '| --- | --- |', ...rows].join('\n');
}

/** Fills what stands between `<!-- name -->` and `<!-- /name -->`. */
function between(page: string, parts: Record<string, string>): string {
  return Object.entries(parts).reduce((text, [name, part]) => {
    const place = new RegExp(`(<!-- ${name} -->\\n)[\\s\\S]*?(\\n<!-- /${name} -->)`);
    if (!place.test(text)) throw new Error(`${CHART}/README.md has no <!-- ${name} --> … <!-- /${name} -->.`);
    return text.replace(place, (_, open: string, close: string) => `${open}\n${part}\n${close}`);
  }, page);
}

function firstSentence(text: string): string {
  return /^.*?[.;](?= |$)/.exec(text)?.[0].replace(/;$/, '.') ?? text;
}
