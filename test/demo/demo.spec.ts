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
    const chapter = (title: string) => stdout.split(/^\d+ {2}/m).find((text) => text.startsWith(title)) ?? '';
    const delegated = chapter('A sub-agent asks');
    expect(delegated).toMatch(/asks +bash {2}npx license-checker --summary {2}\(sub-agent sthr_\w+…\)/);
    expect(delegated).toMatch(/✓ allows +npx license-checker[^]*session_wait +.*→ turn_over/);
    expect(delegated).toMatch(/warning +The MCP server "advisories" refused the credential\./);
    expect(delegated).not.toMatch(/failed|✗/);
  }, 300_000);
});
