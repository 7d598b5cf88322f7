import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import {
  type CryptoKey,
  exportJWK,
  generateKeyPair,
  type JWTHeaderParameters,
  type JWTPayload,
  type JWK,
  SignJWT,
} from 'jose';

export interface IssuerKey {
  readonly jwk: JWK;
  readonly privateKey: CryptoKey;
  readonly alg: string;
}

/** A key pair and its public half as it stands in a key set. */
export async function issuerKey(kid: string | undefined, alg = 'RS256'): Promise<IssuerKey> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  return { jwk: { ...(await exportJWK(publicKey)), use: 'sig', alg, ...(kid && { kid }) }, privateKey, alg };
}

/** The parts of an identity provider that a resource server sees: discovery and keys, under a test's control. */
export class TestIssuer {
  /** Paths asked for, in order. */
  readonly requests: string[] = [];
  /** Answers with this status instead, when set. */
  status?: number;
  keys: IssuerKey[] = [];
  /** How it answers a registration (POST) and a deletion (DELETE) below `/register`; without it there is nothing. */
  register?: (request: { method: string; path: string; body: Record<string, unknown> }) => object & { status: number };
  /** Overrides fields of the discovery document. */
  discovery: Record<string, unknown> = {};
  private constructor(
    private readonly server: Server,
    readonly origin: string,
    private readonly path: string,
  ) {}

  /** Its issuer, and the address below which its documents are. */
  get url(): string {
    return `${this.origin}${this.path}`;
  }

  /** @param path below which it is, such as `/realms/company` */
  static async start({ path: below = '' } = {}): Promise<TestIssuer> {
    const server = createServer({ keepAliveTimeout: 0 });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const issuer = new TestIssuer(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`, below);
    server.on('request', (request, response) => {
      const path = request.url ?? '/';
      issuer.requests.push(path);
      if (issuer.register && path.startsWith(`${issuer.path}/register`)) {
        void answerRegistration(issuer.register, request, response);
        return;
      }
      const body = issuer.document(path);
      response.writeHead(issuer.status ?? (body ? 200 : 404), { 'content-type': 'application/json' });
      response.end(JSON.stringify(body ?? {}));
    });
    issuer.keys = [await issuerKey('first')];
    return issuer;
  }

  /** How often the key set was fetched. */
  get keyFetches(): number {
    return this.requests.filter((path) => path.endsWith('/jwks')).length;
  }

  /** A token as the provider would issue it; claims given as undefined are left out. */
  async token(
    claims: JWTPayload = {},
    header: Partial<JWTHeaderParameters> = {},
    key = this.keys[0]!,
  ): Promise<string> {
    const now = Math.floor(Date.now() / 1000);
    const payload = { iss: this.url, sub: 'alice', aud: 'mcp', scope: 'mcp', iat: now, exp: now + 300, ...claims };
    const kid = key.jwk.kid;
    return new SignJWT(payload)
      .setProtectedHeader({ alg: key.alg, ...(kid && { kid }), ...header })
      .sign(key.privateKey);
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.server.close(() => resolve());
      this.server.closeAllConnections();
    });
  }

  private document(path: string): object | undefined {
    if (path === `${this.path}/jwks`) return { keys: this.keys.map(({ jwk }) => jwk) };
    if (path !== `${this.path}/.well-known/openid-configuration`) return undefined;
    return {
      issuer: this.url,
      jwks_uri: `${this.url}/jwks`,
      authorization_endpoint: `${this.url}/authorize`,
      token_endpoint: `${this.url}/token`,
      ...this.discovery,
    };
  }
}

async function answerRegistration(
  register: NonNullable<TestIssuer['register']>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  const body = (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>;
  const { status, ...answer } = register({ method: request.method ?? '', path: request.url ?? '', body });
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(status === 204 ? undefined : JSON.stringify(answer));
}

/** Settings of a server that trusts `issuer`. */
export function oidcEnv(issuer: string, env: Record<string, string> = {}): Record<string, string> {
  return { MCP_AUTH_MODE: 'oidc', MCP_BEARER_TOKEN: '', MCP_OIDC_ISSUER: issuer, MCP_OIDC_AUDIENCE: 'mcp', ...env };
}

/** A token with any header and claims, and any text as its signature. */
export function rawToken(header: object, claims: object, signature = ''): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part(header)}.${part(claims)}.${signature}`;
}
