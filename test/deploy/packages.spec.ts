import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { SECTIONS } from '../../src/config/config.module.js';
import { settingsOf } from '../../src/config/setting.decorator.js';
import { Simulator } from '../simulator/index.js';
import { callTool, MODERN, newClient } from '../support/client.js';
import { ROOT } from './dockerfile.js';
import { built } from '../support/built.js';
import { filesIn } from './image.js';

const run = promisify(execFile);
const MEGABYTE = 1024 * 1024;

interface Identity {
  readonly name: string;
  readonly version: string;
  readonly mcpName: string;
}

/** Of the MCPB manifest, what a host reads to start the server. */
interface Manifest {
  readonly version: string;
  readonly server: {
    readonly entry_point: string;
    readonly mcp_config: { command: string; args: string[]; env: Record<string, string> };
  };
  readonly tools: readonly { name: string }[];
  readonly user_config: Record<string, { required: boolean; default?: boolean; sensitive: boolean }>;
}

interface RegistryEntry {
  readonly $schema: string;
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly packages: readonly {
    environmentVariables: { name: string; format: string; choices?: string[]; default?: unknown; isSecret?: boolean }[];
  }[];
}

const read = <T>(...path: string[]) => JSON.parse(readFileSync(join(...path), 'utf8')) as T;
const IDENTITY = read<Identity>(ROOT, 'package.json');
const DECLARED = SECTIONS.flatMap((section) => settingsOf(section));
const MCPB = join(ROOT, 'node_modules', '.bin', 'mcpb');

let folder: string;
let simulator: Simulator;
let clients: Client[] = [];

beforeAll(async () => {
  built('dist/main.js');
  folder = mkdtempSync(join(tmpdir(), 'packages-'));
  simulator = await Simulator.start({ fixtures: true });
});
afterAll(async () => {
  await simulator.close();
  rmSync(folder, { recursive: true });
});
afterEach(async () => {
  await Promise.all(clients.map((client) => client.close()));
  clients = [];
});

/** Connects as a client that starts the server by this command, somewhere that is not this repository. */
async function connect(command: string, args: string[], env: Record<string, string>): Promise<Client> {
  const client = newClient(MODERN);
  await client.connect(new StdioClientTransport({ command, args, env, cwd: folder, stderr: 'ignore' }));
  clients.push(client);
  return client;
}

function env(): Record<string, string> {
  return { PATH: process.env.PATH!, ANTHROPIC_API_KEY: 'any', ANTHROPIC_BASE_URL: simulator.url };
}

describe('the npm package', () => {
  let tarball: string;
  let packed: { files: { path: string }[]; size: number; unpackedSize: number };

  beforeAll(async () => {
    const staged = join(folder, 'staged');
    await run(process.execPath, ['deploy/npm/package.mjs', staged], { cwd: ROOT });
    const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], { cwd: staged });
    const [report] = JSON.parse(stdout) as [typeof packed & { filename: string }];
    packed = report;
    tarball = join(folder, report.filename);
  });

  it('holds the bundle, what belongs to it, and nothing else', () => {
    expect(packed.files.map(({ path }) => path).sort()).toEqual([
      'LICENSE',
      'README.md',
      'THIRD-PARTY-LICENSES.txt',
      'dist/main.js',
      'package.json',
    ]);
    expect(packed.size).toBeLessThan(2.5 * MEGABYTE);
  });

  it('needs no other package, and runs no script when it is installed', () => {
    const manifest = read<Record<string, unknown>>(folder, 'staged', 'package.json');
    expect(Object.keys(manifest).filter((key) => /dependencies|scripts|private/i.test(key))).toEqual([]);
    const source = read<Record<string, unknown>>(ROOT, 'package.json');
    for (const key of ['name', 'version', 'description', 'license', 'engines', 'mcpName']) {
      expect(manifest[key]).toEqual(source[key]);
    }
  });

  it('says where it comes from, and links to files by whole addresses', () => {
    const manifest = read<{ homepage: string; repository: { url: string } }>(folder, 'staged', 'package.json');
    expect(manifest.repository.url).toMatch(/^git\+https:\/\/.+\.git$/);
    expect(manifest.homepage).toMatch(/^https:\/\//);
    const page = readFileSync(join(folder, 'staged', 'README.md'), 'utf8');
    const links = [...page.matchAll(/\]\(([^)]+)\)/g)].map(([, target]) => target!);
    expect(links.length).toBeGreaterThan(5);
    expect(links.filter((link) => !/^(https?:|#|mailto:)/.test(link))).toEqual([]);
    const source = manifest.repository.url.replace(/^git\+|\.git$/g, '');
    const files = links
      .filter((link) => link.startsWith(`${source}/blob/`))
      .map((link) => link.split('/').slice(7).join('/'));
    expect(files.length).toBeGreaterThan(5);
    expect(files.filter((file) => !existsSync(join(ROOT, file.split('#')[0]!)))).toEqual([]);
  });

  it('installs without a network, and its command serves MCP over stdio', async () => {
    const home = join(folder, 'installed');
    const options = ['--offline', '--no-audit', '--no-fund', '--cache', join(folder, 'cache')];
    await run('npm', ['install', ...options, '--prefix', home, tarball]);
    expect(filesIn(join(home, 'node_modules')).filter((file) => file.endsWith('package.json'))).toHaveLength(1);
    const client = await connect(join(home, 'node_modules', '.bin', IDENTITY.name), [], env());
    expect(client.getServerVersion()?.version).toBe(IDENTITY.version);
    expect((await callTool(client, 'agent_list')).isError).toBe(false);
  });
});

describe('the MCPB bundle', () => {
  let unpacked: string;
  let manifest: Manifest;

  beforeAll(async () => {
    const file = join(folder, 'bundle.mcpb');
    await run(process.execPath, ['deploy/mcpb/pack.mjs', file], { cwd: ROOT });
    unpacked = join(folder, 'bundle');
    await run(process.execPath, [MCPB, 'unpack', file, unpacked]);
    manifest = read<Manifest>(unpacked, 'manifest.json');
  });

  it('is valid by the tool of the format', async () => {
    const { stdout } = await run(process.execPath, [MCPB, 'validate', join(unpacked, 'manifest.json')]);
    expect(stdout).toContain('Manifest schema validation passes!');
    expect(manifest.version).toBe(IDENTITY.version);
  });

  it('holds the bundle and what belongs to it', () => {
    expect(filesIn(unpacked)).toEqual(['LICENSE', 'THIRD-PARTY-LICENSES.txt', 'manifest.json', 'server/main.js']);
  });

  it('asks for every secret as one, so that it lands in the keychain', () => {
    for (const [name, variable] of Object.entries(manifest.server.mcp_config.env)) {
      const option = manifest.user_config[/^\$\{user_config\.(\w+)\}$/.exec(variable)![1]!]!;
      const setting = DECLARED.find((declared) => declared.env === name)!;
      expect(option).toMatchObject({ sensitive: setting.secret ?? false });
      // What a host has no value for it passes on as it stands.
      expect(option.required).toBe(option.default === undefined);
    }
    expect(manifest.user_config.anthropic_api_key!.sensitive).toBe(true);
  });

  it('starts as a host would start it, and lists the tools that its manifest names', async () => {
    const { command, args, env: variables } = manifest.server.mcp_config;
    const options: Record<string, string> = { anthropic_api_key: 'any' };
    const filled = (text: string) =>
      text
        .replaceAll('${__dirname}', unpacked)
        .replace(/\$\{user_config\.(\w+)\}/, (_, key: string) =>
          String(options[key] ?? manifest.user_config[key]!.default),
        );
    const settings = Object.entries(variables).map(([name, text]) => [name, filled(text)]);
    const client = await connect(command, args.map(filled), {
      ...env(),
      ...(Object.fromEntries(settings) as Record<string, string>),
    });
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name).sort()).toEqual(manifest.tools.map(({ name }) => name).sort());
    expect(existsSync(join(unpacked, manifest.server.entry_point))).toBe(true);
  });
});

describe('server.json, for the MCP registry', () => {
  const entry = read<RegistryEntry>(ROOT, 'server.json');

  it('has the shape and the limits of the schema it names', () => {
    expect(entry.$schema).toBe('https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json');
    expect(entry.name).toMatch(/^[a-zA-Z0-9.-]+\/[a-zA-Z0-9._-]+$/);
    expect(entry.description.length).toBeLessThanOrEqual(100);
    expect(entry.title.length).toBeLessThanOrEqual(100);
    for (const { format, choices, default: value, ...variable } of entry.packages[0]!.environmentVariables) {
      expect(['string', 'number', 'boolean', 'filepath']).toContain(format);
      expect(value === undefined || typeof value === 'string').toBe(true);
      if (choices && value !== undefined) expect(choices).toContain(value);
      expect(variable).toEqual(expect.objectContaining({ name: expect.any(String), description: expect.any(String) }));
    }
  });

  it('names the npm package as the package names itself', () => {
    expect(entry).toMatchObject({ name: IDENTITY.mcpName, version: IDENTITY.version });
    expect(entry.packages).toMatchObject([
      { registryType: 'npm', identifier: IDENTITY.name, version: IDENTITY.version, transport: { type: 'stdio' } },
    ]);
  });

  it('marks exactly the secrets among its variables', () => {
    for (const { name, isSecret = false } of entry.packages[0]!.environmentVariables) {
      expect([name, isSecret]).toEqual([name, DECLARED.find(({ env }) => env === name)?.secret ?? false]);
    }
  });
});

describe('the sample for Claude Code', () => {
  it('starts the package that there is, with a key from the environment', () => {
    const sample = read<{ mcpServers: object }>(ROOT, 'docs/examples/claude-code/.mcp.json');
    const [server] = Object.values(sample.mcpServers) as object[];
    expect(server).toEqual({
      type: 'stdio',
      command: 'npx',
      args: ['-y', IDENTITY.name],
      // Of a name of its own: Claude Code would use ANTHROPIC_API_KEY for itself.
      env: { ANTHROPIC_API_KEY: '${MANAGED_AGENTS_API_KEY}' },
    });
  });
});
