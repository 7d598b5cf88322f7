/** What docs/clients.md names exists, and what it shows can be pasted. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { allTools } from '../../docs/generate/tools.js';
import { SECTIONS } from '../../src/config/config.module.js';
import { settingsOf } from '../../src/config/setting.decorator.js';
import { ROOT } from './documented-commands.js';

const DOCS = join(ROOT, 'docs');
const page = readFileSync(join(DOCS, 'clients.md'), 'utf8');
const observing = readFileSync(join(DOCS, 'observing.md'), 'utf8');

/** Variables of clients that begin like ours. */
const OF_CLIENTS = ['MCP_TOOL_TIMEOUT'];

const matches = (text: string, pattern: RegExp) => [...new Set(text.match(pattern) ?? [])];

it.each([
  ['docs/clients.md', page],
  ['docs/observing.md', observing],
])('every setting that %s names exists', (_page, text) => {
  const declared = SECTIONS.flatMap((section) => settingsOf(section)).map(({ env }) => env);
  const named = matches(text, /\bMCP_[A-Z_]+\b/g).filter(
    (name) => !OF_CLIENTS.includes(name) && !name.endsWith('_TOKENS'),
  );
  expect(named.length).toBeGreaterThan(2);
  expect(named.filter((name) => !declared.includes(name))).toEqual([]);
});

it('every tool that it names exists', () => {
  const names = allTools().map(({ name }) => name);
  const named = matches(page, /\b(session|agent|approval|vault|environment|memory_store)_[a-z]+\b/g);
  expect(named).toContain('session_respond');
  expect(named.filter((name) => !names.includes(name) && name !== 'approval_mode')).toEqual([]);
});

const blocks = [...page.matchAll(/```json\n([\s\S]*?)```/g)].map(([, text]) => text!);

it.each(blocks.map((text, index) => [index + 1, text]))(
  'configuration %d is JSON with the address of the server',
  (_index, text) => {
    expect(JSON.stringify(JSON.parse(String(text)))).toContain('https://your-host/mcp');
  },
);

it('every row of the table has a version', () => {
  const rows = page.split('\n').filter((line) => /^\| [A-Za-z]/.test(line) && !line.startsWith('| Client'));
  expect(rows).toHaveLength(13);
  for (const row of rows) expect(row.split('|')[2]).toMatch(/^ \d+\.\d+\.\d+ +$/);
});

it('the versions of the SDK that this repository uses are the ones in the table', () => {
  const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  expect(page).toMatch(
    new RegExp(
      `MCP SDK for TypeScript, v2 +\\| ${dependencies['@modelcontextprotocol/server']!.replaceAll('.', '\\.')} `,
    ),
  );
});

it.each([...page.matchAll(/\]\(([\w-]*\.md)?(?:#([\w-]+))?\)/g)].map(([link, file, anchor]) => [link, file, anchor]))(
  'the link %s leads somewhere',
  (_link, file, anchor) => {
    const text = readFileSync(join(DOCS, file ?? 'clients.md'), 'utf8');
    const anchors = [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
      heading!
        .toLowerCase()
        .replace(/[^\w\- ]/g, '')
        .replaceAll(' ', '-'),
    );
    if (anchor !== undefined) expect(anchors).toContain(anchor);
  },
);
