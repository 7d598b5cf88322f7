import { type ChildProcess, spawn, spawnSync } from 'node:child_process';

export const UID = 10001;

/** A process as a container runs it: another user, no rights to gain, and every file system around it read-only. */
const CONFINED = [
  'mount --make-rprivate /',
  'mount -o remount,bind,ro /',
  `exec setpriv --reuid ${UID} --regid ${UID} --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all "$@"`,
].join(' && ');

const wrapped = (command: readonly string[]): [string, string[]] => [
  'unshare',
  ['--mount', 'sh', '-c', CONFINED, 'sh', ...command],
];

/** Namespaces need root (or the right to make user namespaces), and util-linux. */
export const canConfine = spawnSync(...wrapped(['true'])).status === 0;
export const CANNOT_CONFINE = 'this machine does not let a read-only mount namespace be made';

export function spawnConfined(command: readonly string[], env: Record<string, string>, cwd: string): ChildProcess {
  return spawn(...wrapped(command), {
    env: { PATH: process.env.PATH, ...env },
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

export function runConfined(command: readonly string[], env: Record<string, string>, cwd: string) {
  const { status, stdout, stderr } = spawnSync(...wrapped(command), {
    env: { PATH: process.env.PATH, ...env },
    cwd,
    encoding: 'utf8',
  });
  return { status, output: `${stdout}${stderr}` };
}
