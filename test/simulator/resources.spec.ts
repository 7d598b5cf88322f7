import { HEADERS, Harness, refusal } from './harness.js';

describe('agents', () => {
  let harness: Harness;
  beforeEach(async () => {
    harness = await Harness.start();
  });
  afterEach(() => harness.close());

  const agents = () => harness.client.beta.agents;

  it('are created with their defaults written out', async () => {
    const agent = await agents().create({
      name: 'a',
      model: 'claude-haiku-4-5',
      tools: [
        {
          type: 'agent_toolset_20260401',
          default_config: { enabled: false },
          configs: [{ name: 'bash', permission_policy: { type: 'always_ask' } }],
        },
        { type: 'mcp_toolset', mcp_server_name: 'gh' },
      ],
      mcp_servers: [{ type: 'url', name: 'gh', url: 'https://mcp.example.com' }],
    });
    expect(agent).toMatchObject({
      version: 1,
      model: { id: 'claude-haiku-4-5', speed: 'standard' },
      description: null,
      system: null,
      skills: [],
      metadata: {},
      multiagent: null,
      tools: [
        {
          default_config: { enabled: false, permission_policy: { type: 'always_allow' } },
          configs: [{ name: 'bash', enabled: false, permission_policy: { type: 'always_ask' } }],
        },
        { default_config: { enabled: true, permission_policy: { type: 'always_ask' } }, configs: [] },
      ],
    });
  });

  it('are refused with tools and servers that do not fit together', async () => {
    const create = async (rest: object) =>
      (await refusal(agents().create({ name: 'a', model: 'claude-opus-5', ...rest }))).message;
    const mcp_servers = [{ type: 'url', name: 'gh', url: 'https://mcp.example.com' }];
    expect(await create({ tools: [{ type: 'mcp_toolset', mcp_server_name: 'x' }] })).toContain(
      'not defined in mcp_servers',
    );
    expect(await create({ mcp_servers })).toBe('mcp_servers [gh] declared but no mcp_toolset in tools references them');
    const toolset = { type: 'agent_toolset_20260401' };
    expect(await create({ tools: [toolset, toolset] })).toContain('only one');
    expect(await create({ tools: [{ ...toolset, configs: [{ name: 'teleport' }] }] })).toContain('teleport');
    expect(await create({ name: '' })).toContain('name');
  });

  it('get a new version by each update that changes something', async () => {
    const { id } = await agents().create({ name: 'a', model: 'claude-opus-5', metadata: { a: '1', b: '2' } });
    expect((await agents().update(id, { name: 'a' })).version).toBe(1);
    const second = await agents().update(id, { version: 1, system: 's', metadata: { a: null } });
    expect(second).toMatchObject({ version: 2, system: 's', metadata: { b: '2' }, name: 'a' });
    const stale = await refusal(agents().update(id, { version: 1, system: 's' }));
    expect(stale).toEqual({
      status: 409,
      type: 'invalid_request_error',
      message: 'Concurrent modification detected. Please fetch the latest version and retry.',
    });
    expect((await agents().retrieve(id, { version: 1 })).system).toBeNull();
    expect(await refusal(agents().retrieve(id, { version: 9 }))).toMatchObject({
      status: 404,
      message: 'Agent version not found.',
    });
    const versions = [];
    for await (const { version } of agents().versions.list(id, { limit: 1 })) versions.push(version);
    expect(versions).toEqual([2, 1]);
  });

  it('are final once archived, and cannot be deleted', async () => {
    const { id } = await agents().create({ name: 'a', model: 'claude-opus-5' });
    await agents().archive(id);
    expect((await refusal(agents().update(id, { name: 'b' }))).message).toBe('Cannot modify archived agent');
    expect((await harness.fetch(`/v1/agents/${id}`, { method: 'DELETE' })).status).toBe(405);
  });

  it('know their roster by reference, which sessions resolve', async () => {
    const { id } = await agents().create({
      name: 'boss',
      model: 'claude-opus-5',
      multiagent: { type: 'coordinator', agents: [harness.agentId] },
    });
    expect((await agents().retrieve(id)).multiagent).toEqual({
      type: 'coordinator',
      agents: [{ type: 'agent', id: harness.agentId, version: 1 }],
    });
    const session = await harness.sessions.create({ agent: id, environment_id: harness.environmentId });
    expect(session.agent.multiagent).toMatchObject({ agents: [{ id: harness.agentId, name: 'worker', tools: [{}] }] });
  });
});

describe('environments, vaults and memory stores', () => {
  let harness: Harness;
  beforeEach(async () => {
    harness = await Harness.start();
  });
  afterEach(() => harness.close());

  it('gives environments unique names and a type for good', async () => {
    const { environments } = harness.client.beta;
    const made = await environments.create({
      name: 'prod',
      config: { type: 'cloud', networking: { type: 'limited', allowed_hosts: ['a.example.com'] } },
    });
    expect(made).toMatchObject({
      state: 'active',
      scope: 'organization',
      config: { networking: { allow_mcp_servers: false }, packages: { pip: [] } },
    });
    expect(await refusal(environments.create({ name: 'prod' }))).toMatchObject({
      status: 409,
      type: 'invalid_request_error',
    });
    expect((await refusal(environments.update(made.id, { config: { type: 'self_hosted' } }))).errorCode).toBe(
      'invalid_config_type_change',
    );
    expect((await environments.update(made.id, { description: 'new' })).description).toBe('new');
    expect(await environments.delete(made.id)).toEqual({ id: made.id, type: 'environment_deleted' });
    await harness.session();
    expect((await refusal(environments.delete(harness.environmentId))).status).toBe(400);
    expect(await environments.archive(harness.environmentId)).toMatchObject({ state: 'archived' });
    expect((await refusal(environments.update(harness.environmentId, {}))).errorCode).toBe('environment_archived');
  });

  it('keeps vaults and memory stores', async () => {
    const { vaults, memoryStores } = harness.client.beta;
    const vault = await vaults.create({ display_name: 'v', metadata: { team: 'x' } });
    expect(await vaults.update(vault.id, { display_name: 'w' })).toMatchObject({
      display_name: 'w',
      metadata: { team: 'x' },
    });
    expect(await vaults.delete(vault.id)).toEqual({ id: vault.id, type: 'vault_deleted' });
    expect((await refusal(vaults.retrieve(vault.id))).status).toBe(404);
    const store = await memoryStores.create({ name: 'm' });
    expect(await memoryStores.update(store.id, { description: 'd' })).toMatchObject({ name: 'm', description: 'd' });
    expect((await memoryStores.list()).data).toHaveLength(1);
    expect(await memoryStores.delete(store.id)).toEqual({ id: store.id, type: 'memory_store_deleted' });
  });

  it('answers old beta spellings of the query', async () => {
    const response = await fetch(`${harness.sim.url}/v1/environments?beta=true&limit=1`, { headers: HEADERS });
    expect(response.status).toBe(200);
  });
});
