import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const ROOT = join(__dirname, '..', '..');

export interface DocumentedCommand {
  /** Page and line, as editors open it. */
  readonly where: string;
  readonly text: string;
}

/** What a reader would paste into a shell: the commands of the page's `sh` blocks, one for each line. */
export function documentedCommands(page: string): DocumentedCommand[] {
  const lines = readFileSync(join(ROOT, page), 'utf8').split('\n');
  const commands: DocumentedCommand[] = [];
  let inBlock = false;
  let begun: DocumentedCommand | undefined;
  lines.forEach((line, index) => {
    if (line.trimStart().startsWith('```')) {
      inBlock = line.trim() === '```sh';
      return;
    }
    if (!inBlock || (begun === undefined && /^\s*(#|$)/.test(line))) return;
    const { where, text } = begun ?? { where: `${page}:${index + 1}`, text: '' };
    const isContinued = line.endsWith('\\');
    const command = { where, text: `${text}${isContinued ? line.slice(0, -1) : withoutComment(line)}`.trim() };
    begun = isContinued ? { ...command, text: `${command.text} ` } : undefined;
    if (!isContinued) commands.push(command);
  });
  return commands;
}

/** Comments stand apart from the command by two spaces or more. */
function withoutComment(line: string): string {
  return line.replace(/\s{2,}#.*$/, '');
}
