import { type INestApplicationContext } from '@nestjs/common';
import { AnthropicSettings } from '../config/anthropic.settings.js';
import { AuditSettings } from '../config/audit.settings.js';
import { AuthSettings } from '../config/auth.settings.js';
import { TelemetrySettings } from '../config/telemetry.settings.js';
import { proxyUseOf } from '../egress/proxy.js';
import { type Finding } from './doctor-finding.js';

const HOSTED_API = 'https://api.anthropic.com';

/** Which proxy is used for what this server calls. Says nothing where no proxy is configured. */
export function checkEgress(app: INestApplicationContext, usesAuth: boolean): Finding[] {
  const auth = usesAuth ? app.get(AuthSettings) : undefined;
  const telemetry = app.get(TelemetrySettings);
  const targets: [string, string | undefined][] = [
    ['the Managed Agents API', app.get(AnthropicSettings).baseUrl ?? HOSTED_API],
    ...(auth?.usesProvider ? [...auth.oidcIssuers, ...auth.oidcJwksUrls] : []).map((url): [string, string] => [
      'the identity provider',
      url,
    ]),
    ['the audit collector', app.get(AuditSettings).url],
    ['the receiver of traces', telemetry.tracesUrl],
    ['the receiver of metrics', telemetry.metricsUrl],
  ];
  const known = targets.filter((target): target is [string, string] => target[1] !== undefined);
  const uses = known.map(([name, url]) => ({ name: `${name} (${new URL(url).origin})`, ...proxyUseOf(url) }));
  if (uses.every(({ proxy, problem }) => proxy === undefined && problem === undefined)) return [];
  return uses.map(({ name, proxy, problem }) => {
    if (problem !== undefined) return ['problem', `proxy ${proxy ?? ''} for ${name}: ${problem}`];
    return ['ok', proxy === undefined ? `${name} is called directly` : `${name} is called through the proxy ${proxy}`];
  });
}
