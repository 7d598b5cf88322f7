import { randomUUID } from 'node:crypto';
import {
  Client,
  type OAuthClientMetadata,
  type OAuthClientProvider,
  type OAuthDiscoveryState,
  type StoredOAuthClientInformation,
  type StoredOAuthTokens,
  StreamableHTTPClientTransport,
} from '@modelcontextprotocol/client';
import { browse, type Person } from './browser.js';
import { MODERN } from './client.js';

export const CALLBACK = 'http://127.0.0.1:33418/callback';

/** What an MCP client keeps between the steps of a sign-in. */
export class OAuthMemory implements OAuthClientProvider {
  readonly redirectUrl = CALLBACK;
  readonly clientMetadata: OAuthClientMetadata;
  /** Where the user was sent. */
  authorizationUrl?: URL;
  saved?: StoredOAuthTokens;
  verifier = '';
  /** Which authorization server the client found; it redeems a code nowhere else. */
  private discovered?: OAuthDiscoveryState;
  readonly sentState = randomUUID();

  /** `client` is what its user entered; without it the client registers itself. */
  constructor(
    public client?: StoredOAuthClientInformation,
    /** What differs in the registration of other clients. */
    metadata: Partial<OAuthClientMetadata> = {},
    /** Address of the client's metadata document, which then is its id. */
    readonly clientMetadataUrl?: string,
  ) {
    this.clientMetadata = {
      client_name: 'test',
      redirect_uris: [CALLBACK],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
      ...metadata,
    };
  }

  state(): string {
    return this.sentState;
  }
  clientInformation(): StoredOAuthClientInformation | undefined {
    return this.client;
  }
  saveClientInformation(client: StoredOAuthClientInformation): void {
    this.client = client;
  }
  tokens(): StoredOAuthTokens | undefined {
    return this.saved;
  }
  saveTokens(tokens: StoredOAuthTokens): void {
    this.saved = tokens;
  }
  redirectToAuthorization(url: URL): void {
    this.authorizationUrl = url;
  }
  saveCodeVerifier(verifier: string): void {
    this.verifier = verifier;
  }
  codeVerifier(): string {
    return this.verifier;
  }
  saveDiscoveryState(state: OAuthDiscoveryState): void {
    this.discovered = state;
  }
  discoveryState(): OAuthDiscoveryState | undefined {
    return this.discovered;
  }
  invalidateCredentials(scope: 'all' | 'client' | 'tokens' | 'verifier' | 'discovery'): void {
    if (scope === 'all' || scope === 'tokens') this.saved = undefined;
  }
}

/** One connection attempt of the official client. */
export function attempt(url: string, memory: OAuthMemory) {
  const transport = new StreamableHTTPClientTransport(new URL(`${url}/mcp`), { authProvider: memory });
  const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode: MODERN } });
  return { client, transport, connect: () => client.connect(transport) };
}

/** The whole way as Claude goes it: refused, discovered, signed in, connected. */
export async function signIn(url: string, memory: OAuthMemory, hint?: string, person?: Person): Promise<Client> {
  const first = attempt(url, memory);
  await expect(first.connect()).rejects.toMatchObject({ name: 'UnauthorizedError' });
  const address = new URL(memory.authorizationUrl!);
  if (hint !== undefined) address.searchParams.set('login_hint', hint);
  const callback = await browse(address, CALLBACK, person);
  expect(callback.searchParams.get('state')).toBe(memory.sentState);
  await first.transport.finishAuth(callback.searchParams);
  const second = attempt(url, memory);
  await second.connect();
  return second.client;
}
