import type { SessionCreateParams } from '@anthropic-ai/sdk/resources/beta/sessions';
import { Harness, interrupt, message, refusal } from './harness.js';
import { say, wait } from './index.js';

describe('creating a session', () => {
  let harness: Harness;
  beforeEach(async () => {
    harness = await Harness.start({}, [say('ok')]);
  });
  afterEach(() => harness.close());

  const create = (params: Partial<SessionCreateParams> = {}) =>
    harness.sessions.create({ agent: harness.agentId, environment_id: harness.environmentId, ...params });
  const refused = async (params: Partial<SessionCreateParams>) => {
    const { status, message: text } = await refusal(create(params));
    return [status, text] as const;
  };

  it('answers like the real API', async () => {
    const session = await create({ title: 'T', metadata: { purpose: 'test' } });
    expect(session).toMatchObject({
      id: expect.stringMatching(/^sesn_01[1-9A-HJ-NP-Za-km-z]{22}$/) as string,
      status: 'idle',
      agent: { id: harness.agentId, version: 1, type: 'agent', multiagent: null },
      budget: null,
      archived_at: null,
      outcome_evaluations: [],
      resources: [],
      vault_ids: [],
      usage: { cache_creation: null, list_cost: { amount: '0', currency: 'USD' } },
      stats: { active_seconds: 0, duration_seconds: 0 },
    });
    expect(session).not.toHaveProperty('stop_reason');
    expect(session).not.toHaveProperty('deployment_id');
    expect(session.created_at).toMatch(/\.\d{6}Z$/);
  });

  it('wants an agent, its version and an environment that exist and are not archived', async () => {
    const { world } = harness.sim;
    expect((await refused({ agent: 'agent_unknown' }))[0]).toBe(404);
    expect(await refused({ agent: { type: 'agent', id: harness.agentId, version: 999 } })).toEqual([
      404,
      expect.stringContaining('agent.version: 999 not found'),
    ]);
    const missing = await refusal(create({ environment_id: 'env_unknown' }));
    expect(missing).toMatchObject({ status: 404, errorCode: 'environment_not_found' });
    const agent = world.agents.create();
    await harness.client.beta.agents.archive(agent.id);
    expect((await refused({ agent: agent.id }))[0]).toBe(400);
    const environment = world.environments.create();
    await harness.client.beta.environments.archive(environment.id);
    expect((await refused({ environment_id: environment.id }))[0]).toBe(400);
  });

  it('pins a version, or overrides parts of it', async () => {
    await harness.client.beta.agents.update(harness.agentId, { system: 'newer' });
    expect((await create()).agent).toMatchObject({ version: 2, system: 'newer' });
    expect((await create({ agent: { type: 'agent', id: harness.agentId, version: 1 } })).agent.system).toBeNull();
    const overridden = await create({
      agent: { type: 'agent_with_overrides', id: harness.agentId, model: 'claude-opus-5', tools: [], system: null },
    });
    expect(overridden.agent).toMatchObject({ version: 2, system: null, tools: [], model: { id: 'claude-opus-5' } });
  });

  it('checks vaults, metadata, title and budget', async () => {
    const metadata = Object.fromEntries(Array.from({ length: 17 }, (_, index) => [`k${index}`, 'v']));
    const budget = (amount: string) => ({
      type: 'limit' as const,
      max_list_cost: { amount, currency: 'USD' as const },
    });
    expect((await refused({ vault_ids: ['vlt_unknown'] }))[0]).toBe(404);
    expect((await refused({ metadata }))[0]).toBe(400);
    expect((await refused({ metadata: { key: 'x'.repeat(513) } }))[0]).toBe(400);
    expect((await refused({ title: 'x'.repeat(501) }))[0]).toBe(400);
    for (const amount of ['0', '007', '1.5', '-1']) expect((await refused({ budget: budget(amount) }))[0]).toBe(400);
    expect((await create({ budget: budget('2500') })).budget).toEqual(budget('2500'));
  });

  it('checks resources and shows where they are mounted', async () => {
    const store = harness.sim.world.memoryStores.create({ name: 'notes' });
    const url = 'https://github.com/acme/rocket';
    const { resources } = await create({
      resources: [
        { type: 'file', file_id: 'file_1' },
        { type: 'file', file_id: 'file_1', mount_path: '/tmp/x' },
        { type: 'github_repository', url, authorization_token: 'secret', checkout: { type: 'branch', name: 'main' } },
        { type: 'memory_store', memory_store_id: store.id },
      ],
    });
    expect(resources.map(({ mount_path }) => mount_path)).toEqual([
      '/mnt/session/uploads/file_1',
      '/mnt/session/uploads/tmp/x',
      '/workspace/rocket',
      '/mnt/memory/notes/',
    ]);
    expect(resources[0]).not.toHaveProperty('file_id', 'file_1');
    expect(JSON.stringify(resources)).not.toContain('secret');
    const memory = { type: 'memory_store' as const, memory_store_id: store.id };
    const bad: NonNullable<SessionCreateParams['resources']>[] = [
      [{ type: 'file', file_id: 'file_1', mount_path: '../x' }],
      [{ type: 'github_repository', url: `${url}.git` }],
      [{ type: 'github_repository', url: 'https://gitlab.com/acme/rocket' }],
      [{ type: 'github_repository', url, checkout: { type: 'commit', sha: 'abc' } }],
      [
        { type: 'file', file_id: 'file_1' },
        { type: 'file', file_id: 'file_1' },
      ],
      Array.from({ length: 9 }, () => memory),
    ];
    for (const list of bad) expect((await refused({ resources: list }))[0]).toBe(400);
    expect((await refused({ resources: [{ ...memory, memory_store_id: 'memstore_unknown' }] }))[0]).toBe(404);
  });

  it('takes only messages and one outcome as its first events, all or nothing', async () => {
    const outcome = {
      type: 'user.define_outcome' as const,
      description: 'd',
      rubric: { type: 'text' as const, content: 'r' },
    };
    expect((await refused({ initial_events: [outcome, outcome] }))[0]).toBe(400);
    expect((await refused({ initial_events: [interrupt as never] }))[0]).toBe(400);
    expect((await refused({ initial_events: Array.from({ length: 51 }, () => message('x')) }))[0]).toBe(400);
    expect((await harness.sessions.list()).data).toEqual([]);
    expect((await create({ initial_events: [] })).status).toBe('idle');
  });
});

describe('the life of a session', () => {
  let harness: Harness;
  afterEach(() => harness.close());

  it('cannot be archived or deleted while it runs', async () => {
    harness = await Harness.start({}, [wait(1000), say('ok')]);
    const sid = await harness.session('go');
    const archive = await refusal(harness.sessions.archive(sid));
    expect([archive.status, archive.message]).toEqual([
      400,
      expect.stringContaining(
        `Session ${sid} cannot be archived while its status is "running". Only pending or idle sessions may be archived.`,
      ),
    ]);
    const remove = await refusal(harness.sessions.delete(sid));
    expect([remove.status, remove.message]).toEqual([
      400,
      expect.stringContaining('Cannot delete session while it is running.'),
    ]);
    await harness.send(sid, interrupt);
    await harness.sim.settle();
    await expect(harness.sessions.delete(sid)).resolves.toEqual({ id: sid, type: 'session_deleted' });
  });

  it('still refuses right after an interrupt was accepted', async () => {
    harness = await Harness.start({ agentPace: 'manual' }, [say('ok')]);
    const sid = await harness.session();
    await harness.send(sid, message('go'));
    harness.sim.step();
    await harness.send(sid, interrupt);
    expect((await refusal(harness.sessions.delete(sid))).status).toBe(400);
  });

  it('ends with archive: terminated, readable, and closed for events', async () => {
    harness = await Harness.start({}, [say('ok')]);
    const sid = await harness.session('go');
    const archived = await harness.sessions.archive(sid);
    expect(archived.status).toBe('terminated');
    await harness.sim.settle();
    expect((await harness.types(sid)).at(-1)).toBe('session.status_terminated');
    expect((await refusal(harness.send(sid, message('more')))).status).toBe(400);
    expect((await harness.sessions.archive(sid)).archived_at).toBe(archived.archived_at);
    await harness.sessions.delete(sid);
    expect((await refusal(harness.sessions.retrieve(sid))).status).toBe(404);
  });

  it('lags in its status, in both directions, and is then refused for it', async () => {
    harness = await Harness.start({ statusLagMs: 2000 }, [wait(5000), say('ok')]);
    const sid = await harness.session();
    harness.clock.advance(10_000);
    await harness.sendAndSettle(sid, message('go'));
    const status = async () => (await harness.sessions.retrieve(sid)).status;
    expect(await status()).toBe('idle');
    harness.clock.advance(2000);
    expect(await status()).toBe('running');
    harness.clock.advance(3000);
    await harness.sim.settle();
    expect((await harness.types(sid)).at(-1)).toBe('session.status_idle');
    expect(await status()).toBe('running');
    expect((await refusal(harness.sessions.archive(sid))).status).toBe(400);
    harness.clock.advance(2000);
    expect(await status()).toBe('idle');
    harness.sim.world.sessions.get(sid).setStatusLag(0);
    await harness.sessions.archive(sid);
  });

  it('is updated by a POST, which the log shows with the changed fields only', async () => {
    harness = await Harness.start({}, [wait(1000), say('ok')]);
    const sid = await harness.session('go');
    const updated = await harness.sessions.update(sid, { title: 'new', metadata: { a: '1' } });
    expect(updated).toMatchObject({ title: 'new', metadata: { a: '1' } });
    await harness.sessions.update(sid, { metadata: { a: null, b: '2' } });
    const events = (await harness.events(sid)).filter(({ type }) => type === 'session.updated');
    expect(events).toMatchObject([{ title: 'new', metadata: { a: '1' } }, { metadata: { b: '2' } }]);
    expect(events[1]).not.toHaveProperty('title');
    expect((await refusal(harness.sessions.update(sid, { agent: { tools: [] } }))).status).toBe(400);
    harness.clock.advance(1000);
    await harness.sim.settle();
    expect((await harness.sessions.update(sid, { agent: { tools: [] } })).agent.tools).toEqual([]);
    expect((await refusal(harness.sessions.update(sid, { vault_ids: [] }))).status).toBe(400);
  });

  it('has resources that can be listed, added and removed', async () => {
    harness = await Harness.start();
    const sid = await harness.session();
    const { resources } = harness.sessions;
    const file = await resources.add(sid, { type: 'file', file_id: 'file_1' });
    expect((await resources.list(sid)).data).toEqual([file]);
    expect(await resources.retrieve(file.id, { session_id: sid })).toEqual(file);
    const update = resources.update(file.id, { session_id: sid, authorization_token: 't' });
    expect((await refusal(update)).status).toBe(400);
    expect((await resources.delete(file.id, { session_id: sid })).type).toBe('session_resource_deleted');
    expect((await resources.list(sid)).data).toEqual([]);
  });

  it('refuses events it does not know and system messages out of place', async () => {
    harness = await Harness.start({}, [say('ok')]);
    const sid = await harness.session();
    const refused = async (...events: unknown[]) => {
      const { status, message: text } = await refusal(harness.send(sid, ...(events as [])));
      return [status, text] as const;
    };
    expect((await refused({ type: 'x' }))[1]).toContain('events[0].type: "x" is not a valid value');
    expect((await refused({ type: 'user.message', content: [] }))[0]).toBe(400);
    expect((await refused({ type: 'user.message', content: [{ type: 'redacted' }] }))[0]).toBe(400);
    const system = { type: 'system.message', content: [{ type: 'text', text: 'Be brief.' }] };
    expect((await refused(system))[0]).toBe(400);
    expect((await refused(system, message('hi')))[0]).toBe(400);
    await harness.sendAndSettle(sid, message('hi'), system as never);
    expect((await harness.types(sid)).slice(2, 4)).toEqual(['user.message', 'system.message']);
  });
});
