/** The runbook explains what the server can say. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { type ApiErrorKind } from '../../src/managed-agents/api-error.js';
import { RULES } from '../../src/mcp/errors/tool-error.js';
import { ROOT } from './documented-commands.js';

const runbook = readFileSync(join(ROOT, 'docs', 'operations.md'), 'utf8');

it.each(RULES)('says what a refusal by the rule %s means', (rule) => {
  expect(runbook).toContain(`| \`${rule}\``);
});

/** As `ApiError` has them; what the API itself says comes beside them. */
const API_ERRORS: readonly ApiErrorKind[] = [
  'status',
  'timeout',
  'connection',
  'uncertain',
  'unreadable',
  'not_the_api',
  'redirect',
  'too_large',
  'credentials',
  'cancelled',
];

it.each(API_ERRORS)('says what a failure of the kind %s means', (kind) => {
  expect(runbook).toMatch(new RegExp(`^\\|[^|]*\`${kind}\``, 'm'));
});

it('has a paragraph where each alert points to', () => {
  const alerts = readFileSync(join(ROOT, 'deploy', 'observability', 'alerts.yaml'), 'utf8');
  const { groups } = parse(alerts) as { groups: { rules: { annotations: { runbook: string } }[] }[] };
  const pointers = groups.flatMap(({ rules }) => rules.map(({ annotations }) => annotations.runbook));
  const anchors = [...runbook.matchAll(/^### (\w+)$/gm)].map(
    ([, title]) => `docs/operations.md#${title!.toLowerCase()}`,
  );
  expect(pointers.length).toBeGreaterThan(0);
  expect(anchors.sort()).toEqual([...pointers].sort());
});
