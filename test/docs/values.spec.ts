/** The values files that pages show are accepted by the chart. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CHART, describeChart, helm, KUBERNETES } from '../deploy/helm/chart.js';
import { ROOT } from './documented-commands.js';

const PAGES = ['docs/deployment.md', 'docs/examples/claude-ai-okta-kubernetes.md'];

/** The block after the line that names the file. */
function valuesOf(page: string): string {
  const text = readFileSync(join(ROOT, page), 'utf8');
  const shown = /^`values\.yaml`[^\n]*\n+```yaml\n([\s\S]*?)```/m.exec(text)?.[1];
  if (shown === undefined) throw new Error(`${page} shows no values.yaml`);
  return shown;
}

describeChart('values in the documentation', () => {
  const directory = mkdtempSync(join(tmpdir(), 'values-'));
  afterAll(() => rmSync(directory, { recursive: true }));

  it.each(PAGES)('%s', async (page) => {
    const file = join(directory, 'values.yaml');
    writeFileSync(file, valuesOf(page));
    const rendered = await helm('template', 'mac', CHART, '-f', file, '--kube-version', KUBERNETES);
    expect(rendered).toContain('kind: Deployment');
  });
});
