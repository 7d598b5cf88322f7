import { execFile, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Client, type OAuthClientMetadata, type StoredOAuthClientInformation } from '@modelcontextprotocol/client';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { COMPOSE } from '../deploy/compose.js';
import { ROOT } from '../deploy/dockerfile.js';
import { toolsOf } from '../guardrails/tool-table.js';
import { Simulator } from '../simulator/index.js';
import { callTool } from '../support/client.js';
import {
  ADMIN_PASSWORD,
  Keycloak,
  KEYCLOAK_SKIPPED,
  keycloakFound,
  passwordOf,
  START_DEADLINE_MS,
  user,
} from '../support/keycloak/index.js';
import { CALLBACK, OAuthMemory, signIn } from '../support/oauth-client.js';
import { call, send } from '../support/rpc.js';
import { serverEnv, startServer, type TestServer } from '../support/server.js';
import { auditLines, logMessages } from '../support/stderr.js';

/** The official MCP client signs in at a real Keycloak, with the realm, the script and the settings that compose uses. */

const run = promisify(execFile);
const describeWithKeycloak = keycloakFound ? describe : describe.skip;
const CLIENT_ID = 'managed-agent-control';
const CLAUDE_CALLBACKS = ['https://claude.ai/api/mcp/auth_callback', 'https://claude.com/api/mcp/auth_callback'];
const RESOURCE = COMPOSE.services.keycloak!.environment!.MCP_RESOURCE!;
const MINUTE = 60_000;

describeWithKeycloak(keycloakFound ? 'Keycloak' : `Keycloak (skipped: ${KEYCLOAK_SKIPPED})`, () => {
  let folder: string;
  let documents: Documents;
  let keycloak: Keycloak;
  let simulator: Simulator;
  let server: TestServer | undefined;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'keycloak-spec-'));
    documents = await Documents.serve(folder);
    keycloak = await Keycloak.start({ resource: RESOURCE, trustedCertificate: documents.certificate });
    simulator = await Simulator.start({ fixtures: true });
  }, START_DEADLINE_MS);
  afterAll(async () => {
    await keycloak.stop();
    documents.close();
    await simulator.close();
    rmSync(folder, { recursive: true });
  });

  let travelled = 0;
  const realNow = Date.now.bind(Date);
  beforeEach(() => {
    travelled = 0;
    jest.spyOn(Date, 'now').mockImplementation(() => realNow() + travelled);
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    await server?.close();
    server = undefined;
  });

  /** The server with compose's settings, but at a port of its own and with the test's Keycloak. */
  async function start(env: Record<string, string> = {}): Promise<void> {
    const {
      ANTHROPIC_API_KEY_FILE: _,
      MCP_PORT: __,
      MCP_PUBLIC_URL: ___,
      ...settings
    } = COMPOSE.services.oidc!.environment!;
    const here = { MCP_BEARER_TOKEN: '', MCP_OIDC_ISSUER: keycloak.issuer, MCP_LOG_LEVEL: 'warn' };
    server = await startServer(serverEnv(simulator.url, { ...settings, ...here, ...env }));
  }

  const entered = () => new OAuthMemory({ client_id: CLIENT_ID });
  const signInAs = (name: string, memory: OAuthMemory) => signIn(server!.url, memory, undefined, user(name).person);
  const statusOf = async (token: string | undefined) => {
    const body = call('tools/call', { name: 'agent_list', arguments: {} });
    return (await send(server!.url, { body, headers: { authorization: `Bearer ${token}` } })).status;
  };

  /** As a client that registers by itself would, and not through the official client's code. */
  async function register(metadata: Partial<OAuthClientMetadata>): Promise<StoredOAuthClientInformation> {
    const response = await fetch(`${keycloak.issuer}/clients-registrations/openid-connect`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
        ...metadata,
      }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${response.status} ${text}`);
    return JSON.parse(text) as StoredOAuthClientInformation;
  }

  it(
    'signs a user in whom create-user.sh made, with an entered client id',
    async () => {
      await start();
      const password = await createdByScript(keycloak, folder, 'alice', 'operator');
      const alice = user('alice', password);
      const memory = entered();
      const client = await signIn(server!.url, memory, undefined, alice.person);
      expect(alice.seen).toEqual(['sign-in', 'new password']);
      expect(await toolNames(client)).toEqual(toolsOf('operator'));
      expect((await callTool(client, 'agent_list')).isError).toBe(false);
      const { sub, aud, realm_access: access, resource_access: resources } = claimsOf(memory);
      // Nothing of the account console: no audience, no role.
      expect([aud, access]).toEqual([RESOURCE, { roles: expect.arrayContaining(['operator', 'offline_access']) }]);
      expect(resources).toBeUndefined();
      const caller = { principal: sub, email: 'alice@example.com', issuer: keycloak.issuer };
      expect(auditLines()).toEqual([expect.objectContaining(caller)]);
      await client.close();
      // The script starts two Java processes.
    },
    START_DEADLINE_MS,
  );

  describe('the callbacks of the entered client', () => {
    const shownAt = async (callback: string) => {
      const challenge = { code_challenge: 'x'.repeat(43), code_challenge_method: 'S256' };
      const query = { client_id: CLIENT_ID, response_type: 'code', redirect_uri: callback, ...challenge };
      const address = `${keycloak.issuer}/protocol/openid-connect/auth?${new URLSearchParams(query).toString()}`;
      return (await fetch(address, { redirect: 'manual' })).status;
    };

    it.each([
      ['Claude.ai', 'https://claude.ai/api/mcp/auth_callback'],
      ['Claude.com', 'https://claude.com/api/mcp/auth_callback'],
      ['Claude Code', 'http://localhost:49581/callback'],
      ['Claude Code, by address', 'http://127.0.0.1:49581/callback'],
      ['mcp-remote', 'http://localhost:3334/oauth/callback'],
      ['the Inspector', 'http://127.0.0.1:6276/oauth/callback'],
      ['Cursor', 'cursor://anysphere.cursor-mcp/oauth/callback'],
      ['Cursor, its agents', 'https://www.cursor.com/agents/mcp/oauth/callback'],
      ['Visual Studio Code', 'https://vscode.dev/redirect'],
      ['Visual Studio Code, the preview', 'https://insiders.vscode.dev/redirect'],
      ['Visual Studio Code, on this machine', 'http://127.0.0.1:33418/'],
    ])('lead back to %s', async (_client, callback) => {
      expect(await shownAt(callback)).toBe(200);
    });

    it.each(['https://attacker.example.com/callback', 'http://localhost:49581/other', 'http://192.0.2.1/callback'])(
      'do not lead to %s',
      async (callback) => {
        expect(await shownAt(callback)).toBe(400);
      },
    );
  });

  describe('dynamic registration', () => {
    beforeAll(() => keycloak.createUser('olivia', 'operator'));

    it('with the scopes that the server names, as Claude Code does it', async () => {
      await start();
      const memory = new OAuthMemory();
      const client = await signInAs('olivia', memory);
      expect(memory.client!.client_id).not.toBe(CLIENT_ID);
      expect(memory.authorizationUrl!.searchParams.get('scope')).toBe('mcp mcp-roles email profile offline_access');
      expect(await toolNames(client)).toEqual(toolsOf('operator'));
      await client.close();
    });

    it('without a scope and with a secret, as claude.ai does it', async () => {
      await start();
      const secret = {
        token_endpoint_auth_method: 'client_secret_post',
        redirect_uris: [...CLAUDE_CALLBACKS, CALLBACK],
      };
      const memory = new OAuthMemory(await register(secret), secret);
      expect(memory.client!.client_secret).toBeDefined();
      const client = await signInAs('olivia', memory);
      expect(await toolNames(client)).toEqual(toolsOf('operator'));
      await client.close();
    });

    it('without any scope, when the server names none', async () => {
      await start({ MCP_OAUTH_SCOPES: '' });
      const memory = new OAuthMemory();
      const client = await signInAs('olivia', memory);
      expect(memory.authorizationUrl!.searchParams.get('scope')).toBeNull();
      expect(await toolNames(client)).toEqual(toolsOf('operator'));
      await client.close();
    });

    it('with openid, which is no client scope', async () => {
      await start({ MCP_OAUTH_SCOPES: 'openid,mcp,mcp-roles,email,profile' });
      const memory = new OAuthMemory();
      const client = await signInAs('olivia', memory);
      expect(await toolNames(client)).toEqual(toolsOf('operator'));
      expect(await statusOf(memory.saved!.id_token)).toBe(401);
      await client.close();
    });

    it('is refused to a client elsewhere', async () => {
      await start();
      const redirects = { redirect_uris: ['https://attacker.example.com/callback'] };
      await expect(register(redirects)).rejects.toThrow(/403 .*Trusted Hosts/);
    });
  });

  it('takes a client id metadata document for a registration', async () => {
    await start();
    await keycloak.createUser('carla', 'approver');
    await trustDocumentsOf(keycloak, 'localhost');
    const memory = new OAuthMemory(undefined, {}, documents.url);
    const client = await signInAs('carla', memory);
    expect(documents.asked).toBeGreaterThan(0);
    expect([memory.client!.client_id, claimsOf(memory).azp]).toEqual([documents.url, documents.url]);
    expect(await toolNames(client)).toEqual(toolsOf('approver'));
    await client.close();
  });

  it('refreshes a token that expired, without asking its user', async () => {
    await start();
    await keycloak.createUser('rita', 'viewer');
    const memory = entered();
    const client = await signInAs('rita', memory);
    const { access_token: first, refresh_token: refresh } = memory.saved!;
    // Clients ask for it wherever a provider lists offline_access; a sign-out does not end it.
    expect(decodeJwt(refresh!).typ).toBe('Offline');
    await keycloak.admin('PUT', '', { accessTokenLifespan: 1800 });
    travelled = 12 * MINUTE;
    expect(await statusOf(first)).toBe(401);
    memory.authorizationUrl = undefined;
    expect((await callTool(client, 'agent_list')).isError).toBe(false);
    expect([memory.saved!.access_token === first, memory.authorizationUrl]).toEqual([false, undefined]);
    await keycloak.admin('PUT', '', { accessTokenLifespan: 600 });
    await client.close();
  });

  it('rotates its keys without a failed call, and ends the old key', async () => {
    await start();
    await keycloak.createUser('kate', 'viewer');
    const memory = entered();
    const client = await signInAs('kate', memory);
    const old = memory.saved!.access_token;
    const next = { priority: ['200'], algorithm: ['RS256'], keySize: ['2048'] };
    const type = 'org.keycloak.keys.KeyProvider';
    await keycloak.admin('POST', '/components', {
      name: 'next',
      providerId: 'rsa-generated',
      providerType: type,
      config: next,
    });
    travelled = MINUTE;
    const fresh = await signedInToken(keycloak, 'kate');
    expect(decodeProtectedHeader(fresh).kid).not.toBe(decodeProtectedHeader(old).kid);
    expect([await statusOf(fresh), await statusOf(old)]).toEqual([200, 200]);
    const keys = await keycloak.admin<{ id: string; name: string }[]>('GET', `/components?type=${type}`);
    await keycloak.admin('DELETE', `/components/${keys.find(({ name }) => name === 'rsa-generated')!.id}`);
    // Keys are fetched again every ten minutes.
    travelled = 11 * MINUTE + 1000;
    expect(await statusOf(old)).toBe(401);
    await client.close();
  });

  it('ends a disabled user, offline session included, when the access token expires', async () => {
    await start();
    const id = await keycloak.createUser('diana', 'viewer');
    const memory = entered();
    const client = await signInAs('diana', memory);
    await keycloak.admin('PUT', `/users/${id}`, { enabled: false });
    expect(await statusOf(memory.saved!.access_token)).toBe(200);
    memory.authorizationUrl = undefined;
    travelled = 12 * MINUTE;
    await expect(callTool(client, 'agent_list')).rejects.toMatchObject({ name: 'UnauthorizedError' });
    // The client has to ask for a new sign-in.
    expect(memory.authorizationUrl).toBeDefined();
    await client.close();
  });

  it('refuses tokens of the realm that are for other applications', async () => {
    await start();
    await keycloak.createUser('wanda', 'admin');
    const scopes = ['basic', 'roles', 'profile', 'email'];
    const other = {
      clientId: 'other',
      publicClient: true,
      directAccessGrantsEnabled: true,
      defaultClientScopes: scopes,
    };
    await keycloak.admin('POST', '/clients', other);
    expect(await statusOf(await signedInToken(keycloak, 'wanda', 'other'))).toBe(401);
    expect(logMessages().join('\n')).toMatch(/the token is for .*, not for one of \["http:/);
  });

  it('follows a change of roles with the next token', async () => {
    await start();
    const id = await keycloak.createUser('paula', 'viewer');
    const memory = entered();
    const client = await signInAs('paula', memory);
    expect(await toolNames(client)).toEqual(toolsOf('viewer'));
    await keycloak.changeRole(id, 'DELETE', 'viewer');
    await keycloak.changeRole(id, 'POST', 'admin');
    expect(await toolNames(client)).toEqual(toolsOf('viewer'));
    await keycloak.admin('PUT', '', { accessTokenLifespan: 1800 });
    travelled = 12 * MINUTE;
    expect(await toolNames(client)).toEqual(toolsOf('admin'));
    await keycloak.admin('PUT', '', { accessTokenLifespan: 600 });
    await client.close();
  });

  it('leaves a user without a role with nothing to call', async () => {
    await start();
    await keycloak.createUser('nina');
    const client = await signInAs('nina', entered());
    expect(await toolNames(client)).toEqual([]);
    await client.close();
  });
});

const toolNames = async (client: Client) => (await client.listTools()).tools.map(({ name }) => name);
const claimsOf = (memory: OAuthMemory) => decodeJwt(memory.saved!.access_token);

/** Runs create-user.sh as in the container, and returns the password that it prints. */
async function createdByScript(keycloak: Keycloak, folder: string, name: string, role: string): Promise<string> {
  writeFileSync(join(folder, 'keycloak_admin_password'), ADMIN_PASSWORD);
  const script = readFileSync(join(ROOT, 'deploy/docker/keycloak/create-user.sh'), 'utf8')
    .replaceAll('/tmp/', `${folder}/`)
    .replaceAll('/opt/keycloak', keycloak.home)
    .replaceAll('http://localhost:8080', keycloak.url)
    .replaceAll('/run/secrets', folder);
  const args = ['-c', script, 'create-user.sh', name, `${name}@example.com`, role];
  const env = { ...process.env, KC_OPTS: '-XX:TieredStopAtLevel=1' };
  const { stdout } = await run('bash', args, { env });
  return /password (\S+)$/m.exec(stdout)![1]!;
}

/** An access token, without the pages: the client `other` has the password grant, the one of the realm gets it for this. */
async function signedInToken(keycloak: Keycloak, name: string, clientId = 'by-password'): Promise<string> {
  const known = await keycloak.admin<object[]>('GET', `/clients?clientId=${clientId}`);
  if (known.length === 0) {
    const client = { clientId, publicClient: true, directAccessGrantsEnabled: true, fullScopeAllowed: false };
    await keycloak.admin('POST', '/clients', client);
  }
  const form = { grant_type: 'password', client_id: clientId, username: name, password: passwordOf(name) };
  const response = await fetch(`${keycloak.issuer}/protocol/openid-connect/token`, {
    method: 'POST',
    body: new URLSearchParams(form),
  });
  const { access_token: token } = (await response.json()) as { access_token: string };
  return token;
}

interface Policies {
  readonly policies: { conditions: { configuration: Record<string, unknown> }[] }[];
}

/** Adds a domain to the one policy for metadata documents, as an operator does in the console. */
async function trustDocumentsOf(keycloak: Keycloak, domain: string): Promise<void> {
  const { policies } = await keycloak.admin<Policies>('GET', '/client-policies/policies');
  for (const { conditions } of policies) {
    for (const { configuration } of conditions) {
      (configuration['client-id-uri-allow-permitted-domains'] as string[]).push(domain);
    }
  }
  await keycloak.admin('PUT', '/client-policies/policies', { policies });
}

/** Serves the metadata document of a client over https, as its id has to be. */
class Documents {
  asked = 0;

  private constructor(
    private readonly server: Server,
    readonly certificate: string,
  ) {}

  static async serve(folder: string): Promise<Documents> {
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
    execFileSync(
      'openssl',
      ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert, ...subject],
      { stdio: 'ignore' },
    );
    const server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }).listen(0, 'localhost');
    await once(server, 'listening');
    const documents = new Documents(server, cert);
    server.on('request', (_request, response) => {
      documents.asked += 1;
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ ...new OAuthMemory().clientMetadata, client_id: documents.url }));
    });
    return documents;
  }

  get url(): string {
    return `https://localhost:${(this.server.address() as AddressInfo).port}/client.json`;
  }

  close(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}
