import { AnthropicSettings } from './anthropic.settings.js';
import { LimitsSettings } from './limits.settings.js';
import { secretRedactor } from './redaction.js';
import { Secrets } from './secrets.js';

const SECRET = 'gw/canary+12 34"567890';

it.each<[string, string, string]>([
  ['as it is', SECRET, SECRET],
  ['with the name of a scheme', `Bearer ${SECRET}`, SECRET],
  ['in quotes and blanks', ` "${SECRET}" `, SECRET],
  ['URL-encoded', SECRET, encodeURIComponent(SECRET)],
  ['decoded', encodeURIComponent(SECRET), SECRET],
  ['in base64', SECRET, Buffer.from(SECRET).toString('base64')],
  ['in base64 for URLs', `${SECRET}>>>???`, Buffer.from(`${SECRET}>>>???`).toString('base64url')],
  ['in JSON', SECRET, JSON.stringify(SECRET).slice(1, -1)],
  ['in JSON within JSON', SECRET, JSON.stringify(JSON.stringify(SECRET)).slice(3, -3)],
  ['as the password of an address', `rediss://app:${encodeURIComponent(SECRET)}@redis:6379/0`, SECRET],
  [
    'as basic authentication of an address',
    'http://proxy-user:proxy-pass-1@proxy:3128',
    Buffer.from('proxy-user:proxy-pass-1').toString('base64'),
  ],
  ['as the value of a header', `x-team=blue,authorization=Basic%20${encodeURIComponent(SECRET)}`, SECRET],
])('a secret is removed %s', (_, configured, written) => {
  expect(secretRedactor([configured])(`<${written}>`)).toMatch(/^<("?)\[redacted\]=*\1>$/);
});

it('short values and other text stay', () => {
  const text = 'a Bearer abcdefghijkl of somebody, x, eyJhbGciOi.eyJzdWIi.sig';
  expect(secretRedactor(['x', 'short', SECRET])(text)).toBe(text);
});

it('the part of a secret beside a cut is removed, too', () => {
  const redact = secretRedactor(['gw-canary-1234567890abcdef']);
  expect(redact('key gw-canary-12…[truncated 200 chars]890abcdef ends')).toBe(
    'key [redacted]…[truncated 200 chars][redacted] ends',
  );
  expect(redact('nothing of it …[truncated 200 chars] here')).toBe('nothing of it …[truncated 200 chars] here');
});

it('collects the secrets of settings, of the credential chain and of proxies', () => {
  const sections = new Map<object, object>([
    [AnthropicSettings, Object.assign(new AnthropicSettings(), { apiKey: 'key-of-settings' })],
    [LimitsSettings, Object.assign(new LimitsSettings(), { redisUrl: 'redis://:redis-password@host' })],
  ]);
  const secrets = new Secrets(sections, {
    ANTHROPIC_AUTH_TOKEN: 'token-of-chain',
    https_proxy: 'http://user:proxy-password@proxy.internal:3128',
    HTTP_PROXY: 'http://proxy.internal:3128',
  });
  const text = 'key-of-settings redis-password token-of-chain proxy-password http://proxy.internal:3128';
  expect(secrets.redact(text)).toBe('[redacted] [redacted] [redacted] [redacted] http://proxy.internal:3128');
});
