/** The route of the MCP endpoint. */
export const MCP_PATH = 'mcp';
/** The route that serves only the tools that read; for clients that can be given an address but no headers. */
export const READ_ONLY_PATH = 'mcp/readonly';

const TRAILING_SLASH = /^(\/mcp(?:\/readonly)?)\/(?=\?|$)/;
const MCP_ADDRESS = /^\/mcp(?:\/readonly)?(?=\?|$)/;

/** Many clients, and people who type an address, end it with a slash. */
export function withoutTrailingSlash(url: string): string {
  return url.replace(TRAILING_SLASH, '$1');
}

/** Whether path and query of a request name the MCP endpoint. */
export function isMcpPath(url: string): boolean {
  return MCP_ADDRESS.test(url);
}
