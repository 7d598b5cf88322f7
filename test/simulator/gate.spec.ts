import { HEADERS, Harness } from './harness.js';
import Anthropic from '@anthropic-ai/sdk';
import { Simulator } from './index.js';

interface ErrorBody {
  error: { type: string; message: string };
  request_id: string;
}

describe('the checks before a request is handled', () => {
  let harness: Harness;

  beforeAll(async () => {
    harness = await Harness.start();
  });
  afterAll(() => harness.close());

  const without = (header: keyof typeof HEADERS) =>
    Object.fromEntries(Object.entries(HEADERS).filter(([name]) => name !== header));
  const call = async (path: string, headers: Record<string, string>, method = 'GET') => {
    const response = await fetch(harness.sim.url + path, { method, headers });
    return { response, body: (await response.json()) as ErrorBody };
  };

  it('knows its routes before anything else, and a wrong method without a request id', async () => {
    const unknown = await call('/v1/sesions', {});
    expect([unknown.response.status, unknown.body.error]).toEqual([
      404,
      { type: 'not_found_error', message: 'Not found' },
    ]);
    const wrongMethod = await call('/v1/sessions', {}, 'DELETE');
    expect(wrongMethod.response.status).toBe(405);
    expect(wrongMethod.response.headers.has('request-id')).toBe(false);
  });

  it('then wants a key, then the beta header, then the version', async () => {
    const noKey = await call('/v1/sessions', {});
    expect([noKey.response.status, noKey.body.error.type]).toEqual([401, 'authentication_error']);
    const noBeta = await call('/v1/sessions', { 'x-api-key': 'k' });
    expect([noBeta.response.status, noBeta.body.error]).toEqual([
      404,
      { type: 'not_found_error', message: 'not found' },
    ]);
    const noVersion = await call('/v1/sessions', without('anthropic-version'));
    expect([noVersion.response.status, noVersion.body.error.message]).toEqual([
      400,
      'anthropic-version: header is required',
    ]);
  });

  it('accepts the key in either header and any query with beta=true', async () => {
    const bearer = { ...without('x-api-key'), authorization: 'Bearer anything' };
    expect((await call('/v1/agents?beta=true', bearer)).response.status).toBe(200);
    expect((await call('/v1/agents', { ...HEADERS, 'x-api-key': ' ' })).response.status).toBe(401);
  });

  it('accepts only the pinned key when there is one', async () => {
    const sim = await Simulator.start({ apiKey: 'the-key' });
    const list = (apiKey: string) =>
      new Anthropic({ apiKey, baseURL: sim.url, maxRetries: 0 }).beta.agents.list().then(() => 'ok');
    await expect(list('the-key')).resolves.toBe('ok');
    await expect(list('another')).rejects.toThrow(Anthropic.AuthenticationError);
    await sim.close();
  });

  it('opens memory stores with either beta header and refuses both', async () => {
    const memory = 'agent-memory-2026-07-22';
    const beta = async (value: string) =>
      (await call('/v1/memory_stores', { ...HEADERS, 'anthropic-beta': value })).response.status;
    expect(await beta(memory)).toBe(200);
    expect(await beta('managed-agents-2026-04-01')).toBe(200);
    expect(await beta(`${memory},managed-agents-2026-04-01`)).toBe(400);
    expect(await beta('dreaming-2026-04-21')).toBe(404);
  });

  it('ignores unknown beta values on agents and sessions, but not on environments', async () => {
    const headers = { ...HEADERS, 'anthropic-beta': 'managed-agents-2026-04-01, nonsense' };
    expect((await call('/v1/agents', headers)).response.status).toBe(200);
    expect((await call('/v1/environments', headers)).response.status).toBe(400);
  });

  it('repeats the request id of the header in the body of an error', async () => {
    const { response, body } = await call('/v1/sessions/sesn_unknown', HEADERS);
    expect(response.status).toBe(404);
    expect(response.headers.get('request-id')).toMatch(/^req_01\w{22}$/);
    expect(body.request_id).toBe(response.headers.get('request-id'));
  });

  it('tells of rate limits where the API does', async () => {
    const limit = async (path: string) => (await harness.fetch(path)).headers.get('anthropic-ratelimit-requests-limit');
    expect(await limit('/v1/sessions')).toBe('1200');
    expect(await limit('/v1/environments')).toBeNull();
    const created = await harness.client.beta.vaults.create({ display_name: 'v' }).withResponse();
    expect(created.response.headers.get('anthropic-ratelimit-requests-limit')).toBe('300');
    const sid = await harness.session();
    const sent = await harness.sessions.events.send(sid, { events: [{ type: 'user.interrupt' }] }).withResponse();
    expect(sent.response.headers.has('anthropic-ratelimit-requests-limit')).toBe(false);
  });

  it('refuses a body that is no JSON and a query parameter it does not know', async () => {
    const broken = await harness.fetch('/v1/sessions', { method: 'POST', body: '{"agent":' });
    expect(broken.status).toBe(400);
    expect((await harness.fetch('/v1/environments?order=asc')).status).toBe(400);
  });

  it('records what it received, up to a bound', async () => {
    const sim = await Simulator.start({ recordedRequests: 2 });
    const client = new Anthropic({ apiKey: 'k', baseURL: sim.url });
    await client.beta.vaults.create({ display_name: 'one' });
    await client.beta.vaults.create({ display_name: 'two' });
    await client.beta.sessions.list({ statuses: ['idle', 'running'] });
    expect(sim.requests).toHaveLength(2);
    expect(sim.requests[0]).toMatchObject({ method: 'POST', path: '/v1/vaults', body: { display_name: 'two' } });
    expect(sim.requests[1]?.query.getAll('statuses[]')).toEqual(['idle', 'running']);
    expect(sim.requests[1]?.headers['anthropic-beta']).toBe('managed-agents-2026-04-01');
    await sim.close();
  });
});
