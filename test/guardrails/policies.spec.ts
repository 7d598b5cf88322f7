import { BINDING_KINDS } from '../../src/config/role-bindings.js';
import { type Principal } from '../../src/context/principal.js';
import { OWNER_KEY, ownerTag } from '../../src/guardrails/owner.js';
import { Judge } from '../support/judge.js';

const ISSUER = 'https://idp.example.com';
const alice: Principal = { subject: 'alice', issuer: ISSUER, roles: [], groups: [], scopes: [] };
const local: Principal = { subject: 'local', issuer: 'stdio', roles: [], groups: [], scopes: [] };

const ruleOf = async (settings: Record<string, string>, tool: string, args: object, principal = alice) => {
  const judge = await Judge.with(settings);
  return (await judge.verdict({ tool, principal, arguments: args as Record<string, unknown> }))?.rule;
};

describe('TierPolicy', () => {
  it.each([
    [{}, false, 'session_delete', undefined],
    [{ MCP_ALLOW_DESTRUCTIVE: 'false' }, false, 'session_delete', 'destructive'],
    [{ MCP_ALLOW_DESTRUCTIVE: 'false' }, false, 'session_message', undefined],
    [{ MCP_READ_ONLY: 'true' }, false, 'session_message', 'read_only'],
    [{ MCP_READ_ONLY: 'true' }, false, 'session_respond', 'read_only'],
    [{ MCP_READ_ONLY: 'true' }, false, 'session_get', undefined],
    [{}, true, 'session_start', 'read_only'],
    [{}, true, 'session_respond', 'read_only'],
    [{}, true, 'session_delete', 'read_only'],
    [{}, true, 'session_wait', undefined],
    [{}, true, 'agent_list', undefined],
  ])('with %j, narrowed %s: %s is %s', async (settings, readOnly, tool, rule) => {
    expect(await ruleOf(settings, tool, {}, { ...alice, readOnly })).toBe(rule);
  });
});

describe('RolePolicy', () => {
  const token: Principal = { ...alice, subject: 'ci', issuer: 'bearer' };
  it.each([
    ['admin=*', alice, true],
    ['admin=subject:alice', alice, true],
    ['admin=subject:Alice', alice, false],
    ['admin=subject:alic', alice, false],
    [`admin=subject:${ISSUER}|alice`, alice, true],
    ['admin=subject:https://other.example.com|alice', alice, false],
    ['admin=role:platform', { ...alice, roles: ['x', 'platform'] }, true],
    ['admin=role:platform', { ...alice, groups: ['platform'], scopes: ['platform'] }, false],
    ['admin=group:platform', { ...alice, groups: ['platform'] }, true],
    ['admin=group:platform', { ...alice, roles: ['platform'] }, false],
    ['admin=group:platform', alice, false],
    ['admin=scope:mcp.admin', { ...alice, scopes: ['mcp.admin'] }, true],
    ['admin=scope:mcp', { ...alice, scopes: ['mcp.admin'] }, false],
    ['admin=token:ci', token, true],
    ['admin=token:ci', { ...alice, subject: 'ci' }, false],
    ['admin=subject:ci', token, true],
    ['admin=subject:local', local, true],
    ['admin=subject:alice', local, false],
    ['viewer=*', local, false],
    ['operator=*; approver=*', alice, false],
    ['viewer=*; admin=subject:alice', alice, true],
  ])('%s: %j may delete: %s', async (bindings, principal, may) => {
    const rule = await ruleOf({ MCP_ROLE_BINDINGS: bindings }, 'session_delete', {}, principal);
    expect(rule).toBe(may ? undefined : 'role');
  });

  it('has a case for every kind of binding', () => {
    expect(BINDING_KINDS).toEqual(['role', 'group', 'scope', 'subject', 'token']);
  });

  it.each([
    ['nobody=x', 'session_get', 'requires the role viewer or operator or approver or admin; you have no role'],
    ['viewer=subject:alice', 'session_respond', 'requires the role approver or admin; you have only: viewer'],
    ['operator=*; viewer=*', 'session_delete', 'requires the role admin; you have only: operator, viewer'],
    ['approver=*', 'session_message', 'requires the role operator or admin; you have only: approver'],
  ])('%s: %s tells what is missing and whom to ask', async (bindings, tool, words) => {
    const judge = await Judge.with({ MCP_ROLE_BINDINGS: bindings.replace('nobody=x', 'admin=subject:root') });
    const verdict = await judge.verdict({ tool, principal: alice, arguments: {} });
    expect(verdict?.message).toContain(`${tool} ${words}`);
    expect(verdict?.message).toMatch(/Ask someone with that role to do it, or ask the operator/);
  });
});

describe('allowlists', () => {
  const agents = { MCP_ALLOWLIST_AGENTS_ACTIVE: 'true', MCP_ALLOWED_AGENT_IDS: 'agent_a,agent_b' };
  const environments = { MCP_ALLOWED_ENVIRONMENT_IDS: 'env_a' };
  const vaults = { MCP_ALLOWED_VAULT_IDS: 'vlt_a,vlt_b' };
  const stores = { MCP_ALLOWED_MEMORY_STORE_IDS: 'mem_a' };
  it.each([
    [agents, 'agent_get', { agent_id: 'agent_b' }, undefined],
    [agents, 'agent_get', { agent_id: 'agent_c' }, 'agent_allowlist'],
    [agents, 'session_start', { agent_id: 'agent_c', environment_id: 'env_a' }, 'agent_allowlist'],
    [agents, 'session_list', { agent_id: 'agent_c' }, 'agent_allowlist'],
    [agents, 'session_list', {}, undefined],
    [{ ...agents, MCP_ALLOWED_AGENT_IDS: '' }, 'agent_get', { agent_id: 'agent_a' }, 'agent_allowlist'],
    [{ ...agents, MCP_ALLOWLIST_AGENTS_ACTIVE: 'false' }, 'agent_get', { agent_id: 'agent_c' }, undefined],
    [environments, 'environment_get', { environment_id: 'env_a' }, undefined],
    [environments, 'environment_get', { environment_id: 'env_b' }, 'environment_allowlist'],
    [environments, 'session_start', { agent_id: 'agent_c', environment_id: 'env_b' }, 'environment_allowlist'],
    [vaults, 'vault_get', { vault_id: 'vlt_b' }, undefined],
    [vaults, 'vault_get', { vault_id: 'vlt_c' }, 'vault_allowlist'],
    [vaults, 'session_start', { vault_ids: ['vlt_a', 'vlt_b'] }, undefined],
    [vaults, 'session_start', { vault_ids: ['vlt_a', 'vlt_c'] }, 'vault_allowlist'],
    [vaults, 'session_start', { vault_ids: [] }, undefined],
    [vaults, 'session_start', {}, undefined],
    [stores, 'memory_store_get', { memory_store_id: 'mem_a' }, undefined],
    [stores, 'memory_store_get', { memory_store_id: 'mem_b' }, 'memory_store_allowlist'],
    [stores, 'session_start', { memory_store_ids: ['mem_b'] }, 'memory_store_allowlist'],
    [{ ...agents, ...environments }, 'session_start', { agent_id: 'x', environment_id: 'x' }, 'agent_allowlist'],
  ])('with %j, %s %j is %s', async (settings, tool, args, rule) => {
    expect(await ruleOf(settings, tool, args)).toBe(rule);
  });
});

describe('ReservedMetadataPolicy', () => {
  const pairs = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`key${n}`, 'x']));
  it.each([
    ['none', { team: 'a' }, undefined],
    ['none', { [OWNER_KEY]: 'me' }, 'reserved_metadata'],
    ['owner', { [OWNER_KEY]: 'me' }, 'reserved_metadata'],
    ['owner', { [OWNER_KEY]: null }, 'reserved_metadata'],
    ['owner', { 'managed-agent-control/other': 'x' }, 'reserved_metadata'],
    ['owner', { ' Managed-Agent-Control/Owner ': 'x' }, 'reserved_metadata'],
    ['none', { '\u200bmanaged-agent-control/owner': 'x' }, 'reserved_metadata'],
    ['owner', { 'managed-agent\u00ad-control/owner': 'x' }, 'reserved_metadata'],
    ['owner', { 'ｍanaged-agent-control／owner': 'x' }, 'reserved_metadata'],
    ['owner', { '\u001b[1mmanaged-agent-control/owner': 'x' }, 'reserved_metadata'],
    ['owner', { '\u001bmanaged-agent-control/owner': 'x' }, 'reserved_metadata'],
    ['owner', { '👩\u200d🚀 crew': 'x' }, undefined],
    ['owner', { 'managed-agent-control': 'x', owner: 'y' }, undefined],
    ['owner', pairs(15), undefined],
    ['owner', pairs(16), 'reserved_metadata'],
    ['none', pairs(16), undefined],
    ['owner', {}, undefined],
    ['owner', undefined, undefined],
    ['owner', null, undefined],
  ])('isolation %s, metadata %j: %s', async (isolation, metadata, rule) => {
    expect(await ruleOf({ MCP_SESSION_ISOLATION: isolation }, 'session_start', { metadata })).toBe(rule);
  });

  it('holds for any tool that takes metadata', async () => {
    expect(await ruleOf({}, 'session_message', { metadata: { [OWNER_KEY]: null } })).toBe('reserved_metadata');
  });
});

describe('the owner of a session', () => {
  it('is readable where it fits, and a digest of fixed size where it does not', () => {
    expect(ownerTag(alice)).toBe(`${ISSUER}|alice`);
    expect(ownerTag({ ...alice, subject: 'auth0|123' })).toBe(`${ISSUER}|auth0|123`);
    for (const subject of ['x'.repeat(600), 'älice', 'with space', 'tab\t'])
      expect(ownerTag({ ...alice, subject })).toMatch(/^sha256\|[0-9a-f]{64}$/);
  });

  it('is never the same for two, however issuer and subject are cut', () => {
    const tags = [
      ['https://a', 'b|c'],
      ['https://a|b', 'c'],
      ['https://a|b|c', ''],
      ['https://a', 'b'],
      ['bearer', 'https://a|b'],
      ['x'.repeat(512), 'b'],
      ['x'.repeat(513), ''],
    ].map(([issuer, subject]) => ownerTag({ ...alice, issuer: issuer!, subject: subject! }));
    expect(new Set(tags).size).toBe(tags.length);
    for (const tag of tags) expect(tag.length).toBeLessThanOrEqual(512);
  });

  it('does not depend on anything that may change between two sign-ins', () => {
    expect(ownerTag({ ...alice, email: 'a@example.com', roles: ['x'], scopes: ['y'], readOnly: true })).toBe(
      ownerTag(alice),
    );
  });
});

describe('looking at sessions', () => {
  it.each([
    ['no rule', {}, alice, 0],
    ['roles only', { MCP_ROLE_BINDINGS: 'viewer=*' }, alice, 0],
    ['destructive tools off', { MCP_ALLOW_DESTRUCTIVE: 'false' }, alice, 0],
    ['isolation', { MCP_SESSION_ISOLATION: 'owner' }, alice, 1],
    ['isolation, for an admin', { MCP_SESSION_ISOLATION: 'owner', MCP_ROLE_BINDINGS: 'admin=*' }, alice, 0],
    ['a list of agents', { MCP_ALLOWLIST_AGENTS_ACTIVE: 'true' }, alice, 1],
    ['a list of vaults, for an admin', { MCP_ALLOWED_VAULT_IDS: 'x', MCP_ROLE_BINDINGS: 'admin=*' }, alice, 1],
  ])('%s: needs %j', async (_what, settings, principal, reads) => {
    const judge = await Judge.with(settings);
    await judge.verdict({ tool: 'session_get', principal, arguments: { session_id: 'sesn_1' } });
    expect(judge.reads).toHaveLength(reads);
  });

  it('happens only after every rule that needs no look', async () => {
    const judge = await Judge.with({ MCP_SESSION_ISOLATION: 'owner', MCP_ROLE_BINDINGS: 'viewer=*' });
    const args = { session_id: 'sesn_1' };
    expect((await judge.verdict({ tool: 'session_delete', principal: alice, arguments: args }))?.rule).toBe('role');
    expect(judge.reads).toEqual([]);
  });

  it('that fails lets nobody through', async () => {
    const judge = await Judge.with({ MCP_SESSION_ISOLATION: 'owner' });
    judge.sessions.get = () => {
      throw new Error('the API is down');
    };
    const call = { tool: 'session_get', principal: alice, arguments: { session_id: 'sesn_1' } };
    await expect(judge.verdict(call)).rejects.toThrow('the API is down');
  });
});
