import { TestIssuer } from '../../support/issuer.js';
import { AUDIENCE, type Issued, OWNER, SCOPES } from './caller.js';

/** Longer than any run, in seconds. */
const LIFETIME_SECONDS = 6 * 3600;

/** The identity provider in a process of its own, as far as a resource server sees it: it serves its key set. */
async function main(): Promise<void> {
  const issuer = await TestIssuer.start();
  const exp = Math.floor(Date.now() / 1000) + LIFETIME_SECONDS;
  const claims = { aud: AUDIENCE, exp, groups: ['developers'], roles: ['engineer'], scope: SCOPES.join(' ') };
  process.send?.({
    issuer: issuer.url,
    keySetUrl: `${issuer.url}/jwks`,
    token: await issuer.token({ ...claims, sub: OWNER, email: `${OWNER}@example.com` }),
    strangersToken: await issuer.token({ ...claims, sub: 'mallory', email: 'mallory@example.com' }),
  } satisfies Issued);
  process.once('disconnect', () => process.exit());
}

void main();
