/** The changes of CONTRIBUTING.md, made on a copy of the tree, and its commands. */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { documentedCommands, ROOT } from './documented-commands.js';

const PAGE = 'CONTRIBUTING.md';

/** Ends a command that hangs: checking types takes minutes on a busy machine. */
const LONGEST_MS = 900_000;

/** Most of what a failing command has written that is shown. */
const SHOWN_CHARS = 4000;

/** A code block that names a file: the whole file, or a change of it. */
interface FileBlock {
  readonly kind: string;
  readonly file: string;
  readonly text: string;
}

function fileBlocks(): FileBlock[] {
  const page = readFileSync(join(ROOT, PAGE), 'utf8');
  return [...page.matchAll(/^```(ts|diff) (\S+)\n([\s\S]*?)^```$/gm)].map(([, kind, file, text]) => ({
    kind: kind!,
    file: file!,
    text: text!,
  }));
}

/** A change without line numbers: the lines that stay and go have to be in the file exactly once, one after the other. */
function changed(content: string, { file, text }: FileBlock): string {
  const lines = text.split('\n').slice(0, -1);
  const side = (marks: string) =>
    lines
      .filter((line) => marks.includes(line[0] ?? ' '))
      .map((line) => `${line.slice(1)}\n`)
      .join('');
  const parts = content.split(side(' -'));
  if (parts.length !== 2) throw new Error(`${PAGE}: ${file} has these lines ${parts.length - 1} times:\n${side(' -')}`);
  return parts.join(side(' +'));
}

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'contributor-'));
  const files = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: ROOT });
  for (const file of files.toString().split('\0').filter(Boolean))
    cpSync(join(ROOT, file), join(directory, file), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(directory, 'node_modules'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const read = (file: string) => readFileSync(join(directory, file), 'utf8');

it.each(fileBlocks())('$kind $file', (block) => {
  const path = join(directory, block.file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, block.kind === 'diff' ? changed(read(block.file), block) : block.text);
});

it.each(documentedCommands(PAGE))(
  '$where: $text',
  ({ text }) => {
    // What the outer run of jest has set would reach the inner one.
    const { PATH, HOME } = process.env;
    const options = { cwd: directory, env: { PATH, HOME }, encoding: 'utf8' } as const;
    const { status, stdout, stderr } = spawnSync('bash', ['-euo', 'pipefail', '-c', text], options);
    if (status !== 0) throw new Error(`${text}\nended with ${status}:\n${stdout}\n${stderr}`.slice(0, SHOWN_CHARS));
  },
  LONGEST_MS,
);

it('has put the tool and the setting into the generated files', () => {
  for (const file of ['README.md', 'docs/tools.md', 'deploy/mcpb/manifest.json'])
    expect([file, read(file)]).toEqual([file, expect.stringContaining('agent_versions')]);
  for (const file of ['docs/configuration.md', '.env.example', 'server.json'])
    expect([file, read(file)]).toEqual([file, expect.stringContaining('MCP_REQUIRE_TITLE')]);
});
