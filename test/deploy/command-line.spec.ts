import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { readProject } from '../../docs/generate/project.js';
import { ROOT } from './dockerfile.js';

function call(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(ROOT, 'dist', 'main.js'), ...args], {
    encoding: 'utf8',
    env: {},
  });
  return { status, stdout, stderr };
}

it.each(['--version', '-v', 'version'])('%s prints the version of package.json, and nothing else', (argument) => {
  expect(call(argument)).toEqual({ status: 0, stdout: `${readProject().version}\n`, stderr: '' });
});

it.each(['--help', '-h', 'help'])('%s prints the commands', (argument) => {
  const { status, stdout, stderr } = call(argument);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  for (const command of ['stdio', 'http', 'doctor', '--version', '--help']) expect(stdout).toContain(command);
});

it('a command that there is not is an error, with the commands that there are', () => {
  const { status, stdout, stderr } = call('https');
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr).toMatch(/^Usage: managed-agent-control-mcp /);
});
