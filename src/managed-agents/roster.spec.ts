import { rosterOf, UNKNOWN_MEMBERS } from './roster.js';

describe('the roster of an agent', () => {
  it.each([
    ['none', undefined, []],
    ['null', null, []],
    ['ids', { type: 'coordinator', agents: ['agent_1', 'agent_2'] }, ['agent_1', 'agent_2']],
    [
      'references, itself and an advisor',
      {
        type: 'coordinator',
        agents: [{ type: 'agent', id: 'agent_1', version: 2 }, { type: 'self' }, { type: 'advisor', model: 'm' }],
      },
      ['agent_1'],
    ],
    [
      'the agents a session has resolved',
      { type: 'coordinator', agents: [{ id: 'agent_1', name: 'x' }, { id: 'me' }] },
      ['agent_1'],
    ],
    [
      'predefined agents',
      {
        type: 'multiagent_20261001',
        advisor: { type: 'disabled' },
        subagents: { type: 'enabled', predefined_agents: [{ type: 'agent', id: 'agent_1' }], inline_agents: {} },
      },
      ['agent_1'],
    ],
    ['no subagents', { type: 'multiagent_20261001', subagents: { type: 'disabled' } }, []],
    ['a kind that is not known', { type: 'swarm', agents: [] }, [UNKNOWN_MEMBERS]],
    ['an entry that cannot be read', { type: 'coordinator', agents: [{ type: 'group' }] }, [UNKNOWN_MEMBERS]],
  ])('%s', (_what, multiagent, ids) => {
    expect(rosterOf({ id: 'me', multiagent })).toEqual(ids);
  });
});
