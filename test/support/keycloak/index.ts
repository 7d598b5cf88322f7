import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Page, type Person } from '../browser.js';
import { eventually } from '../eventually.js';
import { Output } from '../output.js';

const ROOT = join(__dirname, '../../..');
const REALM = join(ROOT, 'deploy/docker/keycloak/realm.json');
/** The version that `.ci/keycloak` gets. */
export const KEYCLOAK_VERSION = /^version=(\S+)$/m.exec(readFileSync(join(ROOT, '.ci/keycloak'), 'utf8'))![1]!;
const CACHE = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
const HOME = join(CACHE, 'managed-agent-control', `keycloak-${KEYCLOAK_VERSION}`);
export const keycloakFound = existsSync(HOME) && spawnSync('java', ['-version']).status === 0;
export const KEYCLOAK_SKIPPED = `Keycloak ${KEYCLOAK_VERSION} is not on this machine; ".ci/keycloak" gets it`;

/** A start takes a minute of one core; the machine may have much else to do. In ms. */
export const START_DEADLINE_MS = 600_000;

/** The administrator of the database that `.ci/keycloak` creates. */
export const ADMIN_PASSWORD = 'administrator-of-tests';

export interface KeycloakOptions {
  /** Address of the MCP server, the audience of tokens. */
  readonly resource: string;
  /** File with a certificate that Keycloak trusts when it fetches documents of clients. */
  readonly trustedCertificate: string;
}

/** The line in which Keycloak reports its addresses. */
const LISTENING = /Listening on: (\S+)\. Management interface .* (\S+)\./;

const running = new Set<ChildProcess>();
/** A test that fails half-way leaves its Keycloak behind. */
afterAll(() => running.forEach((child) => child.kill()));

/** A Keycloak in development mode, as compose starts it, with the realm that compose imports; what it stores is thrown away. */
export class Keycloak {
  private constructor(
    /** Without trailing slash. */
    readonly url: string,
    /** The folder of this Keycloak, with its commands in `bin`. */
    readonly home: string,
    private readonly process: ChildProcess,
    private readonly folder: string,
  ) {}

  static async start({ resource, trustedCertificate }: KeycloakOptions): Promise<Keycloak> {
    const folder = mkdtempSync(join(tmpdir(), 'keycloak-'));
    const home = join(folder, 'keycloak');
    cpSync(HOME, home, { recursive: true });
    mkdirSync(join(home, 'data/import'));
    cpSync(REALM, join(home, 'data/import/realm.json'));
    const address = ['--http-host=127.0.0.1', '--http-port=0', '--http-management-port=0'];
    const options = ['--features=cimd', '--health-enabled=true', `--truststore-paths=${trustedCertificate}`];
    const child = spawn('bash', [join(home, 'bin/kc.sh'), 'start-dev', '--import-realm', ...address, ...options], {
      // It lives for a minute, so the compiler that starts faster is enough.
      env: { PATH: process.env.PATH, MCP_RESOURCE: resource, JAVA_OPTS_APPEND: '-XX:TieredStopAtLevel=1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    running.add(child);
    const [, url, management] = await new Output(child).match(LISTENING, START_DEADLINE_MS);
    const health = async () => (await fetch(`${management}/health/ready`)).status;
    await eventually('Keycloak is ready', health, (status) => status === 200, { everyMs: 100 });
    return new Keycloak(url!, home, child, folder);
  }

  get issuer(): string {
    return `${this.url}/realms/company`;
  }

  async stop(): Promise<void> {
    running.delete(this.process);
    if (this.process.exitCode === null) {
      const exited = once(this.process, 'exit');
      this.process.kill();
      await exited;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Sends a request of the administrator about the realm, such as `PUT /users/<id>`. */
  async admin<T = unknown>(method: string, path: string, body?: object): Promise<T> {
    const response = await fetch(`${this.url}/admin/realms/company${path}`, {
      method,
      headers: { authorization: `Bearer ${await this.adminToken()}`, 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }

  /** Creates a user whose password is {@link passwordOf} the name, and returns the id. */
  async createUser(name: string, role?: string): Promise<string> {
    const credentials = [{ type: 'password', value: passwordOf(name), temporary: false }];
    const email = `${name}@example.com`;
    await this.admin('POST', '/users', { username: name, email, emailVerified: true, enabled: true, credentials });
    const id = await this.userId(name);
    if (role !== undefined) await this.changeRole(id, 'POST', role);
    return id;
  }

  async userId(name: string): Promise<string> {
    const [user] = await this.admin<{ id: string }[]>('GET', `/users?exact=true&username=${name}`);
    return user!.id;
  }

  async changeRole(userId: string, method: 'POST' | 'DELETE', name: string): Promise<void> {
    const role = await this.admin<object>('GET', `/roles/${name}`);
    await this.admin(method, `/users/${userId}/role-mappings/realm`, [role]);
  }

  private async adminToken(): Promise<string> {
    const form = { grant_type: 'password', client_id: 'admin-cli', username: 'admin', password: ADMIN_PASSWORD };
    const response = await fetch(`${this.url}/realms/master/protocol/openid-connect/token`, {
      method: 'POST',
      body: new URLSearchParams(form),
    });
    const { access_token: token } = (await response.json()) as { access_token?: string };
    if (token === undefined) throw new Error(`the administrator cannot sign in: ${response.status}`);
    return token;
  }
}

export const passwordOf = (name: string) => `password-of-${name}`;

/** Keycloak's pages by the id of their form. */
const PAGES = { 'kc-form-login': 'sign-in', 'kc-passwd-update-form': 'new password', 'kc-oauth': 'consent' } as const;
type KnownPage = (typeof PAGES)[keyof typeof PAGES];

/** A user at Keycloak's pages, who notes which ones were shown. */
export function user(name: string, password = passwordOf(name)) {
  const seen: KnownPage[] = [];
  const fields: Record<KnownPage, Record<string, string>> = {
    'sign-in': { username: name, password },
    'new password': { 'password-new': passwordOf(name), 'password-confirm': passwordOf(name) },
    consent: { accept: 'Yes' },
  };
  const person: Person = (page: Page) => {
    const found = Object.entries(PAGES).find(([id]) => page.html.includes(`id="${id}"`))?.[1];
    // A page that is shown again has refused what was typed.
    if (found === undefined || seen.includes(found)) return undefined;
    seen.push(found);
    return fields[found];
  };
  return { person, seen };
}
