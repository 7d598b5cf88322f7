/** The runbook explains what the code can say. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './documented-commands.js';

const runbook = readFileSync(join(ROOT, 'docs', 'operations.md'), 'utf8');

/** Names of rules as they stand in the sources of policies and refusals. */
function rulesInCode(): string[] {
  const declared = /(?:\brule(?:: SessionRule\['rule'\])?(?: =|:)|\bRULE =|new RefusalError\()\s*'([a-z_]+)'/g;
  return sources().flatMap((source) => [...source.matchAll(declared)].map(([, rule]) => rule!));
}

function sources(): string[] {
  return readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.spec.ts'))
    .map((file) => readFileSync(join(ROOT, 'src', file), 'utf8'));
}

it('says what each rule that refuses means', () => {
  const rules = [...new Set(rulesInCode())];
  expect(rules).toEqual(expect.arrayContaining(['role', 'session_isolation', 'human_approval', 'limit_store']));
  expect(rules.filter((rule) => !runbook.includes(`| \`${rule}\``))).toEqual([]);
});
