import { type TelemetrySettings } from '../../config/telemetry.settings.js';
import { RULES } from '../../mcp/errors/tool-error.js';
import { type EndedToolCall } from '../../mcp/tool-call-observer.js';
import { OpenTelemetry } from '../open-telemetry.js';
import { CallMetrics } from './call-metrics.js';

it('counts a refusal under each rule that can refuse, and under "other" for any other reason', async () => {
  const settings = { serviceName: 'test', resourceAttributes: {}, sampler: 'always_on' };
  const telemetry = await OpenTelemetry.start(settings as unknown as TelemetrySettings, true, 1000);
  const metrics = new CallMetrics(telemetry);
  for (const reason of [...RULES, 'a reason that a caller made up'])
    metrics.ended({
      call: { tool: 'session_get', outcome: 'refused', reason },
      durationMs: 1,
    } as unknown as EndedToolCall);
  const text = (await telemetry.prometheusText()) ?? '';
  await telemetry.onApplicationShutdown();
  const counted = [...text.matchAll(/^managed_agent_control_refusals_total\{.*rule="(.*?)".*\} 1$/gm)];
  expect(counted.map(([, rule]) => rule).sort()).toEqual([...RULES, 'other'].sort());
  expect(RULES).toEqual(expect.arrayContaining(['human_approval', 'shutting_down']));
});
