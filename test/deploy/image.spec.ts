import { type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ServerSettings } from '../../src/config/server.settings.js';
import { settingsOf } from '../../src/config/setting.decorator.js';
import { FIXTURES, Simulator } from '../simulator/index.js';
import { callTool, connectHttp } from '../support/client.js';
import { TestIssuer } from '../support/issuer.js';
import { REDIS_SKIPPED, redisFound, RedisServer } from '../support/redis.js';
import { Output } from '../support/output.js';
import { CLOSED_PORT } from '../support/ports.js';
import { TOKEN } from '../support/server.js';
import { servedBy, type ServerProcess } from '../support/server-process.js';
import { CANNOT_CONFINE, canConfine, runConfined, spawnConfined, UID } from './confined.js';
import { DOCKERFILE, globalArguments, isIgnored, LAMBDA_DOCKERFILE, ROOT, stages } from './dockerfile.js';
import { bytesIn, filesIn, Image } from './image.js';
import { expectSaidSize } from './sizes.js';

const BUILD_TIMEOUT_MS = 900_000;
const MEGABYTE = 1e6;

let image: Image;
let simulator: Simulator;
const running = new Set<ChildProcess>();

beforeAll(async () => {
  image = await Image.build();
  simulator = await Simulator.start({ fixtures: true });
}, BUILD_TIMEOUT_MS);

afterAll(async () => {
  for (const child of running) child.kill('SIGKILL');
  await simulator.close();
  image.remove();
});

/** The instructions of the image, read as Docker would. */
describe('the Dockerfile', () => {
  const server = stages().get('server')!;

  it('runs without a shell, as a fixed user, with signals reaching node', () => {
    expect(server.base).toBe('${RUN_IMAGE}');
    expect(globalArguments().RUN_IMAGE).toMatch(
      /^gcr\.io\/distroless\/nodejs24-debian13:nonroot(@sha256:[0-9a-f]{64})?$/,
    );
    expect(server.text('USER')).toBe(`${UID}:${UID}`);
    expect(server.exec('ENTRYPOINT')).toEqual(['/nodejs/bin/node', '/app/main.js']);
    expect(server.exec('CMD')).toEqual(['http']);
    expect(server.text('STOPSIGNAL')).toBe('SIGTERM');
    expect(server.texts('RUN')).toEqual([]);
    expect(server.text('HEALTHCHECK')).toMatch(/CMD \["\/nodejs\/bin\/node", "\/app\/healthcheck.mjs"\]$/);
  });

  it('is built by Docker without BuildKit, by Podman and by buildah', () => {
    const text = readFileSync(join(ROOT, DOCKERFILE), 'utf8');
    expect(text).not.toMatch(/^# syntax=|--mount|--link|--chmod|--start-interval|<<|TARGETPLATFORM|BUILDPLATFORM/m);
  });

  it('has nothing of one processor in it', () => {
    const natives = filesIn(image.root('server')).filter((file) => /\.(node|so|wasm)$/.test(file));
    expect(natives).toEqual([]);
    expect([...stages().values()].flatMap((stage) => stage.texts('RUN')).join()).not.toMatch(
      /amd64|arm64|x86_64|aarch64/,
    );
  });

  it('is the last stage, so that it is what a build without a target gives', () => {
    expect([...stages().keys()].at(-1)).toBe('server');
  });

  it('is for production, and says what it is', () => {
    expect(server.text('ENV')).toBe('NODE_ENV=production');
    for (const name of ['title', 'description', 'licenses', 'version', 'revision', 'source', 'base.name']) {
      expect(server.text('LABEL')).toContain(`org.opencontainers.image.${name}=`);
    }
  });

  it('carries no secret', () => {
    const given = [...stages().values()].flatMap((stage) => [...stage.texts('ARG'), ...stage.texts('ENV')]);
    expect(given.filter((text) => /key|token|secret|password/i.test(text))).toEqual([]);
  });
});

it.each([DOCKERFILE, LAMBDA_DOCKERFILE])(
  'everything that %s copies is there, and goes to the builder',
  (dockerfile) => {
    const copies = [...stages(dockerfile).values()].flatMap((stage) => stage.copies());
    const sources = copies.filter(({ from }) => from === undefined).flatMap((copy) => copy.sources);
    expect(sources.length).toBeGreaterThan(0);
    expect(sources.filter((source) => !existsSync(join(ROOT, source)))).toEqual([]);
    expect(sources.filter((source) => isIgnored(source, dockerfile))).toEqual([]);
  },
);

it('the function and the container run on the same line of Node.js', () => {
  const line = /nodejs(\d+)-/.exec(globalArguments().RUN_IMAGE!)![1];
  expect(globalArguments().BUILD_IMAGE).toContain(`node:${line}-`);
  expect(stages(LAMBDA_DOCKERFILE).get('')!.base).toBe(`public.ecr.aws/lambda/nodejs:${line}`);
  const variables = readFileSync(join(ROOT, 'deploy/aws-lambda/terraform/variables.tf'), 'utf8');
  expect(variables).toContain(`default     = "nodejs${line}.x"`);
});

it('the builder of the function gets nothing but the function', () => {
  const stage = stages(LAMBDA_DOCKERFILE).get('')!;
  expect(stage.copies()).toEqual([{ from: undefined, sources: ['dist/lambda.js'], target: '${LAMBDA_TASK_ROOT}/' }]);
  expect(stage.exec('CMD')).toEqual(['lambda.handler']);
  for (const path of ['dist/main.js', 'src/lambda.ts', 'secrets/anthropic_api_key', '.env']) {
    expect(isIgnored(path, LAMBDA_DOCKERFILE)).toBe(true);
  }
});

describe('the content of the image', () => {
  it('is the bundle and its licenses: no packages, no sources, no tests', () => {
    expect(filesIn(image.root('server'))).toEqual([
      'app/LICENSE',
      'app/THIRD-PARTY-LICENSES.txt',
      'app/healthcheck.mjs',
      'app/main.js',
      'app/main.js.map',
    ]);
    expect(filesIn(image.root('simulator'))).toEqual(['app/main.js']);
  });

  it('is a fraction of what node_modules may take, and as large as the README says', () => {
    const root = image.root('server');
    expect(bytesIn(root)).toBeLessThan(16 * MEGABYTE);
    const page = 'deploy/docker/README.md';
    expectSaidSize(page, /`main\.js` \(([\d.]+) MB\)/, statSync(join(root, 'app/main.js')).size);
    expectSaidSize(page, /source map \(([\d.]+) MB\)/, statSync(join(root, 'app/main.js.map')).size);
    expectSaidSize(page, /([\d.]+) MB in all/, bytesIn(root));
  });
});

(canConfine ? describe : describe.skip)(
  canConfine
    ? 'the container, as another user on a read-only file system'
    : `the container (skipped: ${CANNOT_CONFINE})`,
  () => {
    /** What the entry point of a stage runs, with the paths of the image mapped to the folder it lies in. */
    function commandOf(stage: string, args = stages().get(stage)!.exec('CMD')): string[] {
      const [, main] = stages().get(stage)!.exec('ENTRYPOINT');
      return [process.execPath, join(image.root(stage), main!), ...args];
    }

    const appFolder = (stage: string) => join(image.root(stage), 'app');

    /** Secrets as Docker mounts them: files somebody else owns, and whose folder only root may enter. */
    function secretFiles(values: Record<string, string>): { env: Record<string, string>; remove(): void } {
      const folder = mkdtempSync(join(tmpdir(), 'secrets-'));
      chmodSync(folder, 0o755);
      const env = Object.entries(values).map(([name, value]) => {
        writeFileSync(join(folder, name), `${value}\n`, { mode: 0o444 });
        return [`${name}_FILE`, join(folder, name)];
      });
      return {
        env: Object.fromEntries(env) as Record<string, string>,
        remove: () => rmSync(folder, { recursive: true }),
      };
    }

    async function start(env: Record<string, string>): Promise<ServerProcess> {
      const child = spawnConfined(
        commandOf('server'),
        {
          NODE_ENV: 'production',
          MCP_HOST: '127.0.0.1',
          MCP_PORT: '0',
          // There is no load balancer to wait for.
          MCP_SHUTDOWN_DELAY_SECONDS: '0',
          ANTHROPIC_BASE_URL: simulator.url,
          ...env,
        },
        appFolder('server'),
      );
      running.add(child);
      return servedBy(child);
    }

    async function stop(child: ChildProcess): Promise<number | null> {
      const exited = once(child, 'exit') as Promise<[number | null]>;
      child.kill('SIGTERM');
      running.delete(child);
      return (await exited)[0];
    }

    it('cannot write anywhere', () => {
      const attempt = `try { require('node:fs').writeFileSync(process.argv[1], '') } catch ({ code }) { console.log(code) }`;
      for (const folder of [appFolder('server'), '/tmp', '/var/tmp']) {
        const { output } = runConfined([process.execPath, '-e', attempt, join(folder, 'x')], {}, '/');
        expect(output).toBe('EROFS\n');
      }
      expect(runConfined([process.execPath, '-p', 'process.getuid()'], {}, '/').output).toBe(`${UID}\n`);
    });

    it('serves MCP with a bearer token and the key from files, and ends on SIGTERM', async () => {
      const secrets = secretFiles({ ANTHROPIC_API_KEY: 'sk-ant-image-canary', MCP_BEARER_TOKEN: TOKEN });
      const { url, child, stderr } = await start({ MCP_AUTH_MODE: 'bearer', ...secrets.env });
      const client = await connectHttp(url);
      const { data } = await callTool(client, 'agent_list');
      expect(data.count).toBe(Object.keys(FIXTURES.agents).length);
      expect((await fetch(`${url}/mcp`, { method: 'POST' })).status).toBe(401);
      await client.close();
      expect(await stop(child)).toBe(0);
      expect(stderr()).not.toContain('canary');
      secrets.remove();
    });

    it('checks its settings when it is told to', async () => {
      const env = { MCP_AUTH_MODE: 'bearer', MCP_BEARER_TOKEN: TOKEN, ANTHROPIC_API_KEY: 'any' };
      const child = spawnConfined(
        commandOf('server', ['doctor']),
        { ...env, ANTHROPIC_BASE_URL: simulator.url },
        appFolder('server'),
      );
      let output = '';
      child.stderr!.on('data', (chunk: Buffer) => (output += chunk.toString()));
      expect(await once(child, 'close')).toEqual([0, null]);
      expect(output).toContain('ok       the Managed Agents API accepts the credential');
    });

    it('checks tokens of an identity provider', async () => {
      const issuer = await TestIssuer.start();
      const { url, child } = await start({
        ANTHROPIC_API_KEY: 'any',
        MCP_AUTH_MODE: 'oidc',
        MCP_OIDC_ISSUER: issuer.url,
        MCP_OIDC_AUDIENCE: 'image',
      });
      const client = await connectHttp(url, 'legacy', await issuer.token({ aud: 'image' }));
      expect((await callTool(client, 'agent_list')).isError).toBe(false);
      await client.close();
      expect(await stop(child)).toBe(0);
      await issuer.close();
    });

    (redisFound ? it : it.skip)(
      redisFound ? 'counts in Redis' : `counts in Redis (skipped: ${REDIS_SKIPPED})`,
      async () => {
        const redis = await RedisServer.start();
        const env = {
          ANTHROPIC_API_KEY: 'any',
          MCP_AUTH_MODE: 'bearer',
          MCP_BEARER_TOKEN: TOKEN,
          MCP_REDIS_URL: redis.url,
          MCP_RATE_LIMIT_PER_MINUTE: '1',
        };
        const [first, second] = [await start(env), await start(env)];
        const clients = [await connectHttp(first.url), await connectHttp(second.url)];
        expect((await callTool(clients[0]!, 'agent_list')).isError).toBe(false);
        expect((await callTool(clients[1]!, 'agent_list')).text).toContain('MCP_RATE_LIMIT_PER_MINUTE');
        await Promise.all(clients.map((client) => client.close()));
        expect(await Promise.all([stop(first.child), stop(second.child)])).toEqual([0, 0]);
        await redis.stop();
      },
    );

    it('simulates the API in the image of the demo', async () => {
      const command = commandOf('simulator', ['--public', '--port', '0']);
      const child = spawnConfined(command, {}, appFolder('simulator'));
      running.add(child);
      const [, port] = await new Output(child).match(/simulator on http:\/\/\S+:(\d+)\s/);
      const env = { ANTHROPIC_API_KEY: 'any', MCP_AUTH_MODE: 'bearer', MCP_BEARER_TOKEN: TOKEN };
      const server = await start({ ...env, ANTHROPIC_BASE_URL: `http://127.0.0.1:${port}` });
      const client = await connectHttp(server.url);
      expect((await callTool(client, 'agent_list')).data.count).toBe(Object.keys(FIXTURES.agents).length);
      await client.close();
      await stop(server.child);
      expect(await stop(child)).toBe(0);
    });

    describe('its health check', () => {
      let health: Server;
      let status: number;
      beforeAll(async () => {
        health = createServer((request, response) => {
          response.writeHead(request.url === '/healthz' ? status : 404).end();
        }).listen(0, '127.0.0.1');
        await once(health, 'listening');
      });
      afterAll(() => health.close());

      async function check(env: Record<string, string>): Promise<[number | null, string]> {
        const child = spawnConfined(
          [process.execPath, join(appFolder('server'), 'healthcheck.mjs')],
          env,
          appFolder('server'),
        );
        let output = '';
        child.stdout!.on('data', (chunk: Buffer) => (output += chunk.toString()));
        const [code] = (await once(child, 'close')) as [number | null];
        return [code, output];
      }

      const port = () => String((health.address() as AddressInfo).port);

      it('is good while /healthz is, and bad when it is not or nobody answers', async () => {
        status = 200;
        expect(await check({ MCP_PORT: port() })).toEqual([0, `/healthz on port ${port()} answers with status 200\n`]);
        status = 503;
        expect(await check({ MCP_PORT: port() })).toEqual([1, `/healthz on port ${port()} answers with status 503\n`]);
        expect(await check({ MCP_PORT: String(CLOSED_PORT) })).toEqual([
          1,
          `/healthz on port ${CLOSED_PORT} cannot be asked: ECONNREFUSED\n`,
        ]);
      });

      it('asks where the settings say: the management port before the other one, and the address that is bound', async () => {
        status = 200;
        expect((await check({ MCP_PORT: String(CLOSED_PORT), MCP_MANAGEMENT_PORT: port() }))[0]).toBe(0);
        expect((await check({ MCP_PORT: port(), MCP_HOST: '127.0.0.1' }))[0]).toBe(0);
        expect((await check({ MCP_PORT: port(), MCP_HOST: '127.0.0.2' }))[0]).toBe(1);
      });

      it('is good for the server, on either port', async () => {
        const env = { ANTHROPIC_API_KEY: 'any', MCP_AUTH_MODE: 'bearer', MCP_BEARER_TOKEN: TOKEN };
        for (const more of [{}, { MCP_MANAGEMENT_PORT: '0' }] as Record<string, string>[]) {
          const { url, managementUrl, child } = await start({ ...env, ...more });
          const management = managementUrl && { MCP_MANAGEMENT_PORT: new URL(managementUrl).port };
          expect(management !== undefined).toBe('MCP_MANAGEMENT_PORT' in more);
          expect((await check({ MCP_PORT: new URL(url).port, ...management }))[0]).toBe(0);
          await stop(child);
        }
      });

      it('knows the declared names and defaults', async () => {
        const declared = (env: string) => settingsOf(ServerSettings).find((setting) => setting.env === env)?.default;
        expect(declared('MCP_HOST')).toBe('0.0.0.0');
        expect((await check({}))[1]).toContain(`/healthz on port ${String(declared('MCP_PORT'))} `);
      });
    });
  },
);
