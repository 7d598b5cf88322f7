/** Whom the tokens are for: part of them, and of the settings they are judged by. */
export const AUDIENCE = 'https://mcp.example.com/mcp';
/** Subject of the caller that the session belongs to. */
export const OWNER = 'alice';
export const SCOPES = ['mcp:use', 'mcp:read'] as const;

/** What the issuer's process sends once its keys can be fetched. */
export interface Issued {
  readonly issuer: string;
  readonly keySetUrl: string;
  readonly token: string;
  /** As good as the other one, of somebody the session does not belong to. */
  readonly strangersToken: string;
}
