import { type AuditLine, auditLine } from '../answers.js';
import { type ServerLog } from '../server-process.js';
import { type Stage } from '../stage.js';
import { plural, shortIds } from '../text.js';
import { expectThat, found } from '../unexpected.js';

type Pick = readonly [tool: string, also: Partial<AuditLine>];

const SHOWN: readonly Pick[] = [
  ['session_start', { outcome: 'invalid' }],
  ['session_start', { outcome: 'refused' }],
  ['session_respond', { result: 'allow', issuer: 'bearer' }],
  ['session_respond', { result: 'deny' }],
  ['session_delete', { outcome: 'refused', issuer: 'stdio' }],
];

/** Every call has left one line, and no line repeats what was said. */
export function audit(stage: Stage, logs: readonly ServerLog[], calls: number, secrets: readonly string[]): void {
  const written = logs.flatMap((log) => log.lines);
  const lines = written.filter((line) => line.startsWith('{"audit"'));
  const others = written.filter((line) => !lines.includes(line) && !line.includes('MCP is served at'));
  expectThat(
    others.length === 0,
    `the servers should have nothing to complain about, but wrote:\n${others.join('\n')}`,
  );
  expectThat(lines.length === calls, `${calls} calls should leave as many audit lines, not ${lines.length}`);
  for (const secret of secrets) expectThat(!logs.some((log) => log.all.includes(secret)), 'a log repeats a secret');
  stage.chapter('What the operator keeps', `${plural(lines.length, 'audit line')}, without texts and tokens`);
  const audits = lines.map((line) => auditLine.parse(JSON.parse(line)));
  for (const [tool, also] of SHOWN) {
    const shown = audits.find((line) => line.audit === tool && contains(line, also));
    show(stage, found(shown, `an audit line of ${tool} with ${JSON.stringify(also)}`));
  }
}

function contains(line: AuditLine, part: Partial<AuditLine>): boolean {
  return Object.entries(part).every(([name, value]) => line[name as keyof AuditLine] === value);
}

function show(stage: Stage, { audit: tool, outcome, reason, result, issuer, principal, ...ids }: AuditLine): void {
  const what = result ?? reason ?? '';
  const about = shortIds(ids.session_id ?? ids.environment_id ?? '');
  const cells = `${outcome.padEnd(9)}${what.padEnd(24)}${`${principal} (${issuer})`.padEnd(26)}${about}`;
  stage.row(tool, cells.trimEnd(), outcome === 'ok' ? 'ok' : 'refused');
}
