import { type IncomingHttpHeaders } from 'node:http';

/** The token of an `Authorization: Bearer` header (RFC 6750 §2.1). Nothing else is looked at: not the query, not the body. */
export function bearerTokenOf({ headers }: { headers: IncomingHttpHeaders }): string | undefined {
  return /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1];
}
