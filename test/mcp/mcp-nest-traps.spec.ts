/**
 * The ways in which a server on mcp-nest 2.0.5 can be open or wrong without anybody noticing. Each test would fail if
 * our remedy were taken away or a new version of the library moved the ground.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type DynamicModule, type Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { McpController, Tool } from '@rekog/mcp-nest';
import { z } from 'zod';
import { GuardrailsModule } from '../../src/guardrails/guardrails.module.js';
import { AuditModule } from '../../src/audit/audit.module.js';
import { AuditService } from '../../src/audit/audit.service.js';
import { ConfigModule } from '../../src/config/config.module.js';
import { McpModule } from '../../src/mcp/mcp.module.js';
import { McpTool } from '../../src/mcp/tool.decorator.js';
import { ToolInput } from '../../src/mcp/tool-input.js';
import { callTool } from '../support/client.js';
import { type Harness, startHarness } from '../support/harness.js';
import { call, send } from '../support/rpc.js';
import { serverEnv, withEnvironment } from '../support/server.js';
import { auditLines } from '../support/stderr.js';

describe('tools are checked before anything is served', () => {
  const tool = {
    name: 'spare_tool',
    title: 'Spare',
    tier: 'discover',
    description: 'Does nothing.',
    input: new ToolInput({}),
  } as const;

  @McpController()
  class UndeclaredTools {
    @Tool({ name: 'undeclared', description: 'Declared past our decorator.' })
    undeclared(): object {
      return {};
    }
  }
  @McpController()
  class NoTierTools {
    @McpTool({ ...tool, tier: undefined as never })
    spare(): object {
      return {};
    }
  }
  @McpController()
  class SpareTools {
    @McpTool(tool)
    spare(): object {
      return {};
    }
  }
  @McpController()
  class SameNameTools {
    @McpTool(tool)
    again(): object {
      return {};
    }
  }

  function start(controllers: Type[]): Promise<unknown> {
    return withEnvironment(serverEnv('http://127.0.0.1:1'), async () => {
      const tools: DynamicModule = { module: class Tools {}, controllers };
      const app = await Test.createTestingModule({
        imports: [
          ConfigModule.forEntry('http'),
          tools,
          McpModule.forHttp({ imports: [GuardrailsModule, AuditModule], observers: [AuditService] }),
        ],
      }).compile();
      await app.close();
    });
  }

  it('starts with a tool that is declared properly', async () => {
    await expect(start([SpareTools])).resolves.toBeUndefined();
  });

  it('trap 1: refuses a tool that was declared with the library decorator, past tier and guardrails', async () => {
    await expect(start([UndeclaredTools])).rejects.toThrow('Tool "undeclared" has no tier');
  });

  it('refuses a tool with an argument that guardrails would not look at', async () => {
    @McpController()
    class OtherNameTools {
      @McpTool({ ...tool, input: new ToolInput({ target_session: z.string() }) })
      spare(): object {
        return {};
      }
    }
    await expect(start([OtherNameTools])).rejects.toThrow(
      'Tool "spare_tool" takes "target_session", which may name a resource that no guardrail checks',
    );
  });

  it('refuses a tool without a tier', async () => {
    await expect(start([NoTierTools])).rejects.toThrow('Tool "spare_tool" has no tier');
  });

  it('trap 2: refuses two tools of one name, of which the library would silently serve the last', async () => {
    await expect(start([SpareTools, SameNameTools])).rejects.toThrow('Two tools are named "spare_tool"');
  });
});

it('trap 3: no code registers tools at run time, which would bypass guards, filters and interceptors', () => {
  const src = join(__dirname, '..', '..', 'src');
  const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  expect(files.length).toBeGreaterThan(50);
  expect(
    files.filter((file) => /\.register(Tool|Resource|Prompt)\(/.test(readFileSync(join(src, file), 'utf8'))),
  ).toEqual([]);
});

describe('a running server', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await startHarness({ env: { MCP_ALLOW_DESTRUCTIVE: 'false' } });
  });
  afterAll(() => harness.close());

  it('trap 4: global guards, filters and interceptors apply to tools of the hybrid application', async () => {
    const refused = await callTool(harness.client, 'session_delete', { session_id: 'sesn_1' });
    expect(refused.text).toContain('MCP_ALLOW_DESTRUCTIVE=false');
    const shaped = await callTool(harness.client, 'agent_list');
    expect(shaped.data.count).toBeGreaterThan(0);
  });

  it('trap 5: hiding a tool is not all; calling the hidden one is refused too', async () => {
    const { tools } = await harness.client.listTools();
    expect(tools.map((tool) => tool.name)).not.toContain('session_archive');
    const answer = await send(harness.server.url, {
      body: call('tools/call', { name: 'session_archive', arguments: { session_id: 'sesn_1' } }),
    });
    expect(answer.json.result).toMatchObject({ isError: true });
    expect(harness.simulator.requests.filter(({ method }) => method === 'POST')).toEqual([]);
  });

  it('trap 6: calls that never reach a guard (bad arguments, unknown tools) are audited all the same', async () => {
    await callTool(harness.client, 'agent_get', {});
    await expect(harness.client.callTool({ name: 'no_such_tool' })).rejects.toThrow('Unknown tool: no_such_tool');
    expect(auditLines()).toEqual([
      expect.objectContaining({ audit: 'agent_get', outcome: 'invalid', principal: 'static-bearer' }),
      expect.objectContaining({ audit: 'no_such_tool', outcome: 'unknown_tool', principal: 'static-bearer' }),
    ]);
  });

  it.each(['2025', '2026'])(
    'trap 7: the principal set on the Fastify request arrives in MCP handlers (%s)',
    async (era) => {
      if (era === '2026') await callTool(harness.client, 'agent_list');
      else await send(harness.server.url, { body: call('tools/call', { name: 'agent_list', arguments: {} }) });
      expect(auditLines()).toEqual([expect.objectContaining({ principal: 'static-bearer', issuer: 'bearer' })]);
    },
  );

  it('trap 8: Host and Origin are checked, and the MCP route does not mount itself past the guards', async () => {
    const body = call('tools/list');
    const { url } = harness.server;
    expect(await send(url, { body, headers: { host: 'evil.example' } })).toMatchObject({ status: 403 });
    expect(await send(url, { body, headers: { origin: 'https://evil.example' } })).toMatchObject({ status: 403 });
    expect(await send(url, { body, headers: { authorization: undefined } })).toMatchObject({ status: 401 });
  });

  it('tools/list claims no security scheme, and keeps the titles the library drops', async () => {
    const answer = await send(harness.server.url, { body: call('tools/list') });
    expect(answer.text).not.toContain('noauth');
    expect(answer.json.result.tools[0]).toMatchObject({ name: 'agent_list', title: 'List agents' });
  });

  it('promises neither list changes nor log messages, which a stateless server cannot send', async () => {
    const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } };
    const answer = await send(harness.server.url, { body: call('initialize', params) });
    expect(answer.json.result.capabilities).toEqual({ tools: { listChanged: false } });
  });
});
