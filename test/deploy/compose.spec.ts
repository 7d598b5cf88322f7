import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { AuthSettings } from '../../src/config/auth.settings.js';
import { loadSections, SECTIONS } from '../../src/config/config.module.js';
import { settingsOf } from '../../src/config/setting.decorator.js';
import { ServerSettings } from '../../src/config/server.settings.js';
import { numberedPort } from '../support/ports.js';
import { REDIS_SKIPPED, redisFound } from '../support/redis.js';
import { KEYCLOAK_VERSION } from '../support/keycloak/index.js';
import { COMPOSE, COMPOSE_TEXT, composeWith, SERVERS, startedBy } from './compose.js';
import { ROOT, stages } from './dockerfile.js';

const DECLARED = SECTIONS.flatMap((section) => settingsOf(section));
const SERVICES = Object.entries(COMPOSE.services);
const WAYS = ['server', 'demo', 'oidc', 'scale'];
const DEFAULT_GRACE_SECONDS = 25;
/** Not settings: Node.js and `src/egress` read them. */
const EGRESS = ['HTTPS_PROXY', 'HTTP_PROXY', 'NO_PROXY', 'NODE_EXTRA_CA_CERTS'];
const NO_CERTIFICATES = ['/dev/null:/etc/ssl/company-ca.crt:ro'];

const published = (name: string) => COMPOSE.services[name]?.ports ?? [];

/** The settings as a container would read them, with every mounted secret there. */
function settingsIn(name: string): Map<object, object> {
  const folder = mkdtempSync(join(tmpdir(), 'compose-'));
  const { environment = {}, secrets = [] } = COMPOSE.services[name]!;
  for (const secret of secrets) writeFileSync(join(folder, secret), 'a-secret-of-enough-characters');
  const env = Object.fromEntries(
    Object.entries(environment).map(([key, value]) => [key, value.replace(/^\/run\/secrets\//, `${folder}/`)]),
  );
  try {
    return loadSections(env, 'http');
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe('docker-compose.yml', () => {
  it('starts each way alone with what it needs, and with ports that never clash', () => {
    expect(startedBy('server')).toEqual(['server']);
    expect(startedBy('demo')).toEqual(['demo', 'simulator']);
    expect(startedBy('oidc')).toEqual(['keycloak', 'oidc']);
    expect(startedBy('scale')).toEqual(['redis', 'replica', 'scale']);
    const started = WAYS.flatMap((way) => startedBy(way));
    expect(started.sort()).toEqual(Object.keys(COMPOSE.services).sort());
    const ports = SERVICES.flatMap(([name]) => published(name).map((port) => port.split(':')[1]));
    expect(new Set(ports).size).toBe(ports.length);
  });

  it('leaves only the plain server outside of profiles, and gives each profile the name of its entry', () => {
    for (const [name, { profiles }] of SERVICES) {
      if (name === 'server') expect(profiles).toBeUndefined();
      else expect(profiles).toEqual([WAYS.find((way) => way !== 'server' && startedBy(way).includes(name))]);
    }
  });

  it('needs no secret for the demo', () => {
    for (const name of startedBy('demo')) expect(COMPOSE.services[name]?.secrets ?? []).toEqual([]);
  });

  it('publishes on this machine only', () => {
    for (const [name] of SERVICES) for (const port of published(name)) expect(port).toMatch(/^127\.0\.0\.1:/);
  });

  it('holds no secret: each comes from a file that git does not take', () => {
    const ignored = readFileSync(join(ROOT, '.gitignore'), 'utf8').split('\n');
    expect(ignored).toContain('/secrets/');
    for (const { file } of Object.values(COMPOSE.secrets)) expect(file).toMatch(/^\.\/secrets\/\w+$/);
    const used = new Set(SERVICES.flatMap(([, { secrets = [] }]) => secrets));
    expect([...used].sort()).toEqual(Object.keys(COMPOSE.secrets).sort());
    expect(COMPOSE_TEXT).not.toMatch(/sk-ant-|PASSWORD: /);
  });

  describe.each(SERVERS)('the service %s', (name, service) => {
    it('starts with its settings', () => {
      expect(() => settingsIn(name)).not.toThrow();
    });

    it('sets nothing but declared settings, and of secrets only where their file is', () => {
      for (const [variable, value] of Object.entries(service.environment ?? {})) {
        if (EGRESS.includes(variable)) continue;
        const setting = DECLARED.find(({ env }) => env === variable || `${env}_FILE` === variable);
        expect(setting ?? variable).toBeInstanceOf(Object);
        if (variable !== setting!.env) {
          expect(setting!.secret).toBe(true);
          expect(service.secrets).toContain(value.replace('/run/secrets/', ''));
        } else if (setting!.secret && name !== 'demo') {
          // A Redis without a password, on a network of its own: nothing to hide.
          expect(new URL(value).password).toBe('');
        }
      }
    });

    it('is confined: another user, nothing to write to, no privilege, limits', () => {
      expect(service).toMatchObject({
        read_only: true,
        cap_drop: ['ALL'],
        security_opt: ['no-new-privileges:true'],
        user: stages().get('server')!.text('USER'),
      });
      expect(service.volumes ?? NO_CERTIFICATES).toEqual(NO_CERTIFICATES);
    });

    it('has the time it needs to end, and keeps the health check of the image', () => {
      const declared = DECLARED.find(({ env }) => env === 'MCP_SHUTDOWN_GRACE_SECONDS')?.default as number | undefined;
      const [, seconds] = /^(\d+)s$/.exec(service.stop_grace_period ?? '')!;
      expect(Number(seconds)).toBeGreaterThan(declared ?? DEFAULT_GRACE_SECONDS);
      expect(service.healthcheck).toBeUndefined();
    });

    it('is built from a stage that there is', () => {
      expect(existsSync(join(ROOT, service.build!.dockerfile))).toBe(true);
      expect(stages().has(service.build!.target)).toBe(true);
    });
  });

  it.each(SERVICES)('limits what %s can take, and confines it', (_name, { deploy, cap_drop, security_opt }) => {
    expect(deploy.resources.limits).toEqual({
      cpus: expect.any(String),
      memory: expect.any(String),
      pids: expect.any(Number),
    });
    expect(cap_drop).toEqual(['ALL']);
    expect(security_opt).toEqual(['no-new-privileges:true']);
  });

  it('mounts files that are there, and nothing of them to be written', () => {
    for (const [, { volumes = [] }] of SERVICES) {
      for (const volume of volumes) {
        const [source, , mode] = volume.split(':') as [string, string, string?];
        if (volume === NO_CERTIFICATES[0]) continue;
        if (!source.startsWith('.')) expect(Object.keys(COMPOSE.volumes)).toContain(source);
        else {
          expect(existsSync(join(ROOT, source))).toBe(true);
          expect(mode).toBe('ro');
        }
      }
    }
  });

  it('calls the API through the proxy of the shell, and trusts its certificates', () => {
    const shell = {
      HTTPS_PROXY: 'http://proxy.internal:3128',
      HTTP_PROXY: 'http://proxy.internal:3129',
      NO_PROXY: '.corp.example.com',
      NODE_EXTRA_CA_CERTS: '/usr/local/share/company.crt',
    };
    const { services } = composeWith(shell);
    for (const name of ['server', 'oidc', 'replica']) {
      const { environment, volumes } = services[name]!;
      const [source, target] = volumes![0]!.split(':');
      expect(source).toBe(shell.NODE_EXTRA_CA_CERTS);
      expect(environment).toMatchObject({
        HTTPS_PROXY: shell.HTTPS_PROXY,
        HTTP_PROXY: shell.HTTP_PROXY,
        NO_PROXY: 'localhost,127.0.0.1,keycloak,redis,.corp.example.com',
        NODE_EXTRA_CA_CERTS: target,
      });
    }
    for (const name of ['HTTPS_PROXY', 'HTTP_PROXY']) expect(COMPOSE.services.server!.environment![name]).toBe('');
    expect(services.demo!.environment).not.toHaveProperty('HTTPS_PROXY');
  });

  it('names every image of others with a full version', () => {
    const foreign = SERVICES.filter(([, { build }]) => !build).map(([, { image }]) => image);
    expect(foreign.length).toBe(3);
    for (const image of foreign) expect(image).toMatch(/:\d+\.\d+\.\d+(-alpine)?(@sha256:[0-9a-f]{64})?$/);
  });

  it('asks for nothing that only some engines have', () => {
    expect(COMPOSE_TEXT).not.toMatch(/start_interval|driver: local/);
    for (const [, { logging }] of SERVICES) {
      if (logging) expect(logging).toEqual({ driver: 'json-file', options: { 'max-size': '10m' } });
    }
  });

  (redisFound ? it : it.skip)(
    redisFound
      ? 'has a Redis that answers from another address than its own, without a password'
      : `has a Redis that answers from another address than its own (skipped: ${REDIS_SKIPPED})`,
    async () => {
      const address = Object.values(networkInterfaces())
        .flatMap((found) => found ?? [])
        .find(({ family, internal }) => family === 'IPv4' && !internal)?.address;
      const port = numberedPort();
      const [program, ...args] = COMPOSE.services.redis!.command!;
      const redis = spawn(program!, [...args, '--port', String(port)], { stdio: ['ignore', 'pipe', 'inherit'] });
      try {
        for await (const chunk of redis.stdout) if (String(chunk).includes('Ready to accept connections')) break;
        const socket = connect(port, address ?? '127.0.0.1');
        socket.write('PING\r\n');
        const [answer] = (await once(socket, 'data')) as [Buffer];
        socket.destroy();
        expect(answer.toString()).toBe('+PONG\r\n');
      } finally {
        redis.kill();
        await once(redis, 'exit');
      }
    },
  );

  it('shares what the replicas count, over a network that leads nowhere else', () => {
    expect(COMPOSE.services.replica!.deploy.replicas).toBe(2);
    expect(COMPOSE.services.redis!.networks).toEqual(['store']);
    expect(COMPOSE.networks.store!.internal).toBe(true);
  });

  it('has replicas that know their address, so that they need not believe what a proxy says', () => {
    const { publicUrl, trustedProxies } = settingsIn('replica').get(ServerSettings) as ServerSettings;
    const [port] = published('scale').map((mapping) => mapping.split(':')[1]);
    expect(publicUrl).toBe(`http://localhost:${port}`);
    expect(trustedProxies).toEqual([]);
  });

  it('takes no addresses of its own choice, which may be those of the network around it', () => {
    expect(Object.values(COMPOSE.networks).filter((network) => network?.ipam)).toEqual([]);
  });

  it('is started in the background everywhere in its documentation, so that the next command is reached', () => {
    const texts = [COMPOSE_TEXT, readFileSync(join(ROOT, 'deploy/docker/README.md'), 'utf8')];
    const commands = texts.flatMap((text) => text.match(/docker compose (--profile \w+ )?up[^`\n]*/g) ?? []);
    expect(commands.length).toBeGreaterThan(8);
    expect(commands.filter((command) => !/ up -d --wait\b/.test(command))).toEqual([]);
  });
});

describe('the realm of Keycloak', () => {
  const realm = JSON.parse(readFileSync(join(ROOT, 'deploy/docker/keycloak/realm.json'), 'utf8')) as {
    realm: string;
    users?: unknown;
    roles: { realm: { name: string }[] };
    clients: { redirectUris: string[] }[];
    clientScopes: { name: string; protocolMappers?: object[] }[];
    defaultDefaultClientScopes: string[];
    defaultOptionalClientScopes: string[];
  };
  const auth = settingsIn('oidc').get(AuthSettings) as AuthSettings;
  const client = realm.clients[0]!;

  it('is the one the server trusts, with the audience it asks for', () => {
    expect(auth.oidcIssuers).toEqual([`${COMPOSE.services.keycloak!.environment!.KC_HOSTNAME}/realms/${realm.realm}`]);
    expect(auth.oidcAudience).toEqual([COMPOSE.services.keycloak!.environment!.MCP_RESOURCE]);
    expect(auth.oidcAudienceClaims).toEqual(['aud']);
    const { protocolMappers } = realm.clientScopes.find(({ name }) => name === 'mcp')!;
    expect(protocolMappers![0]).toMatchObject({
      protocolMapper: 'oidc-audience-mapper',
      config: { 'included.custom.audience': '${MCP_RESOURCE}', 'access.token.claim': 'true' },
    });
  });

  it('has the scopes that the server names, for clients that register by themselves too', () => {
    expect(realm.defaultDefaultClientScopes).toEqual(expect.arrayContaining([...auth.oauthScopes]));
    const scopes = [...realm.defaultDefaultClientScopes, ...realm.defaultOptionalClientScopes];
    expect(realm.clientScopes.map(({ name }) => name).sort()).toEqual(scopes.sort());
  });

  it('runs in the version that the suite of Keycloak runs', () => {
    expect(COMPOSE.services.keycloak!.image.split('@')[0]).toBe(`quay.io/keycloak/keycloak:${KEYCLOAK_VERSION}`);
  });

  it('has one public client, with PKCE and the callbacks of MCP clients', () => {
    expect(realm.clients).toHaveLength(1);
    expect(client).toMatchObject({
      publicClient: true,
      standardFlowEnabled: true,
      implicitFlowEnabled: false,
      directAccessGrantsEnabled: false,
      serviceAccountsEnabled: false,
      fullScopeAllowed: false,
      attributes: { 'pkce.code.challenge.method': 'S256' },
    });
    const callbacks = DECLARED.find(({ env }) => env === 'MCP_OAUTH_REDIRECT_URIS')!.default as string[];
    // Keycloak takes http://localhost and http://127.0.0.1 with any port, and knows no IPv6 in place of them.
    const known = callbacks.filter((uri) => !uri.includes('[::1]'));
    expect(client.redirectUris).toEqual(expect.arrayContaining(known));
    expect(client.redirectUris.filter((uri) => uri.includes('*'))).toEqual([]);
  });

  it('has the roles that the server binds, and nobody in it', () => {
    const { roleBindings } = [...settingsIn('oidc').values()].find((section) => 'roleBindings' in section) as {
      roleBindings: readonly { role: string; to: { kind: string; value: string } }[];
    };
    const names = realm.roles.realm.map(({ name }) => name).sort();
    expect(roleBindings.map(({ to }) => to.value).sort()).toEqual(names);
    expect(roleBindings.every(({ role, to }) => to.kind === 'role' && to.value === role)).toBe(true);
    expect(realm.users).toBeUndefined();
    expect(JSON.stringify(realm)).not.toMatch(/"(secret|credentials|password)"/i);
  });
});
