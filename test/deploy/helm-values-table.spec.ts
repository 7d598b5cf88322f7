import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { valuesTable } from '../../docs/generate/helm/values-table.js';

const README = join(__dirname, '..', '..', 'deploy', 'helm', 'managed-agent-control', 'README.md');

describe("the table of the chart's values", () => {
  it('takes what follows "--", and nothing of the comments before it', () => {
    const table = valuesTable(
      [
        '# About this file: "--" begins a description.',
        '',
        '# -- First | second.',
        'a:',
        '  # -- Of b.',
        '  b: 1',
        '',
      ].join('\n'),
    );
    expect(table.split('\n').slice(2)).toEqual(['| `a` |  | First \\| second. |', '| `a.b` | `1` | Of b. |']);
  });

  it('refuses a description that would break its row, and a value without one', () => {
    expect(() => valuesTable('# -- One line,\n# and another.\na: 1\n')).toThrow(
      'The description of a in values.yaml has to be one line',
    );
    expect(() => valuesTable('a: 1\n')).toThrow('a of values.yaml has no comment that begins with "--".');
  });

  it('is whole in the README', () => {
    const [, table = ''] =
      /<!-- values -->\n\n([\s\S]*?)\n\n<!-- \/values -->/.exec(readFileSync(README, 'utf8')) ?? [];
    const rows = table.split('\n');
    expect(rows.length).toBeGreaterThan(50);
    expect(rows.filter((row) => !/^\| .* \|$/.test(row))).toEqual([]);
  });
});
