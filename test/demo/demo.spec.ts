import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const MAIN = join(__dirname, 'main.ts');
const SUMMARY = /^✓ \d+ tool calls over HTTP and stdio, all as expected, in [\d.]+ s$/;

describe('the demo', () => {
  it('tells the whole story, readable without a terminal', async () => {
    const { NODE_OPTIONS: _, ...env } = process.env;
    const { stdout, stderr } = await promisify(execFile)(process.execPath, ['--import', 'tsx', MAIN], { env });
    const lines = stdout.trimEnd().split('\n');
    expect(stderr).toBe('');
    expect(lines.at(-1)).toMatch(SUMMARY);
    expect(lines.length).toBeLessThanOrEqual(110);
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(100);
    expect(stdout).not.toContain('\x1b');
  }, 300_000);
});
