import { execFile, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CLOSED_PORT } from '../support/ports.js';
import { COMPOSE } from './compose.js';
import { ROOT } from './dockerfile.js';

const run = promisify(execFile);
const keycloak = COMPOSE.services.keycloak!;
/** Compose makes one dollar sign of two. */
const inContainer = (text: string) => text.replaceAll('$$', '$');

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'keycloak-'));
  mkdirSync(join(folder, 'bin'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** In the place of a command of Keycloak: writes down how it is called. */
function record(command: string, variable: string): void {
  const text = `#!/bin/bash\necho "\${${variable}:-} $*" >> ${folder}/calls\n`;
  writeFileSync(join(folder, 'bin', command), text, { mode: 0o755 });
}

const here = (text: string) =>
  text
    .replaceAll('/tmp/', `${folder}/`)
    .replaceAll('/opt/keycloak/bin', join(folder, 'bin'))
    .replaceAll('/run/secrets', folder);

const calls = () => readFileSync(join(folder, 'calls'), 'utf8').trimEnd().split('\n');

it('starts Keycloak with the password of the file', async () => {
  record('kc.sh', 'KC_BOOTSTRAP_ADMIN_PASSWORD');
  writeFileSync(join(folder, 'keycloak_admin_password'), 'the password\n');
  await run('/bin/bash', ['-c', here(inContainer(keycloak.command![0]!))]);
  expect(calls()).toEqual(['the password start-dev --import-realm --features=cimd']);
});

describe('its health check', () => {
  const [kind, ...command] = keycloak.healthcheck!.test.map(inContainer);
  const commandFor = (port: number) =>
    command.map((text) => text.replace('/dev/tcp/127.0.0.1/9000', `/dev/tcp/127.0.0.1/${port}`)) as [
      string,
      ...string[],
    ];

  it.each([
    [200, 0],
    [503, 1],
  ])('takes status %i for exit code %i', async (status, code) => {
    const asked: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      asked.push(request.url);
      response.writeHead(status).end();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const [shell, ...args] = commandFor((server.address() as AddressInfo).port);
    const outcome = await run(shell, args).then(
      () => 0,
      (error: { code: number }) => error.code,
    );
    server.closeAllConnections();
    server.close();
    expect([kind, outcome, asked]).toEqual(['CMD', code, ['/health/ready']]);
  });

  it('fails while nobody listens', () => {
    const [shell, ...args] = commandFor(CLOSED_PORT);
    expect(spawnSync(shell, args).status).toBe(1);
  });
});

describe('create-user.sh', () => {
  const script = readFileSync(join(ROOT, 'deploy/docker/keycloak/create-user.sh'), 'utf8');
  const create = (...args: string[]) =>
    spawnSync('/bin/bash', ['-c', here(script), 'x', ...args], { encoding: 'utf8' });

  it('creates a user with a role and a random password for once, and shows the administrator’s nowhere', () => {
    record('kcadm.sh', 'KC_CLI_PASSWORD');
    writeFileSync(join(folder, 'keycloak_admin_password'), 'admin-canary');
    const { status, stdout, stderr } = create('alice', 'alice@example.com', 'operator');
    expect([status, stderr]).toEqual([0, '']);
    const [, password] = /^alice has the role operator, .* password ([0-9a-f]{32})\n$/.exec(stdout)!;
    const server = '--no-config --server http://localhost:8080 --realm master --user admin';
    const user = '-s username=alice -s email=alice@example.com -s emailVerified=true -s enabled=true';
    expect(calls()).toEqual([
      `admin-canary create users --target-realm company --file - ${user} ${server}`,
      `admin-canary add-roles --target-realm company --uusername alice --rolename operator ${server}`,
    ]);
    expect(calls().join()).not.toContain(password);
  });

  it('refuses a role that there is not', () => {
    expect(create('alice', 'alice@example.com', 'root')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('usage: create-user.sh <name> <e-mail> <viewer|operator|approver|admin>'),
    });
  });
});
