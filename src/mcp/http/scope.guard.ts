import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { type AuthenticatedRequest } from '../../auth/authenticated-request.js';
import { Challenges } from '../../auth/discovery/challenges.js';
import { AuthSettings } from '../../config/auth.settings.js';
import { ToolRegistry } from '../tool-registry.js';

interface McpRequest extends AuthenticatedRequest {
  /** As Fastify parsed it; not validated. */
  readonly body?: unknown;
}

/**
 * Refuses a request whose token lacks scopes, at the level of HTTP: only a 403 with a challenge makes a client ask its
 * user for more scopes. The tool is therefore read from the body, before MCP handles it. A request that calls no tool needs
 * the scopes that every token must have.
 */
@Injectable()
export class ScopeGuard implements CanActivate {
  constructor(
    private readonly settings: AuthSettings,
    private readonly registry: ToolRegistry,
    private readonly challenges: Challenges,
  ) {}

  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<McpRequest>();
    const needed = this.scopesFor(request.body);
    const held = request.raw.user?.scopes ?? [];
    if (needed.every((scope) => held.includes(scope))) return true;
    throw this.challenges.stepUp(request, needed);
  }

  /** For a batch, the scopes of all its calls together. */
  private scopesFor(body: unknown): string[] {
    const messages: unknown[] = Array.isArray(body) ? body : [body];
    return [...new Set([...this.settings.requiredScopes, ...messages.flatMap((message) => this.scopesOf(message))])];
  }

  private scopesOf(message: unknown): string[] {
    const { method, params } = (message ?? {}) as { method?: unknown; params?: { name?: unknown } | null };
    const name = method === 'tools/call' ? params?.name : undefined;
    // MCP answers a call of a tool that does not exist.
    const tool = typeof name === 'string' ? this.registry.get(name) : undefined;
    return tool ? this.settings.scopesOf(tool.tier) : [];
  }
}
