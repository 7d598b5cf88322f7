import { Inject, Injectable } from '@nestjs/common';
import { GuardrailsSettings } from '../config/guardrails.settings.js';
import { requireToolCall } from '../context/call.js';
import { type Principal, principalId } from '../context/principal.js';
import { type Page, type PageRequest } from '../managed-agents/api-values.js';
import { type Session, type SessionListRequest } from '../managed-agents/sessions.service.js';
import { type ReadPage, ResourceAccess } from '../mcp/access.js';
import { type CatalogKind, type ResourceKind } from '../mcp/resource-arguments.js';
import { ToolError } from '../mcp/errors/tool-error.js';
import { SealedTokens, type TokenUse } from '../tokens/sealed-tokens.js';
import { OWNER_KEY, ownerTag } from './owner.js';
import { type AllowlistPolicy } from './policies/allowlists.js';
import { KnownSessions } from './sessions/known-sessions.js';
import { factsOf, SESSION_RULES, type SessionRule } from './sessions/session-rules.js';

/** The policies that are allowlists. */
export const ALLOWLISTS = Symbol('allowlists');

/** Most requests to the API for one page of a list, when most of what the API lists is not accessible to the caller. */
const MAX_READS = 5;
/** How many items the API lists when the request names no limit. */
const DEFAULT_LIMIT = 20;

interface Listing<T, R extends PageRequest> {
  readonly request: R;
  readonly read: (request: R) => Promise<Page<T>>;
  readonly allows: (item: T) => boolean;
}

/** Applies the rules of the guard to what tools list and start. */
@Injectable()
export class CallerAccess extends ResourceAccess {
  constructor(
    @Inject(ALLOWLISTS) private readonly allowlists: readonly AllowlistPolicy[],
    @Inject(SESSION_RULES) private readonly rules: readonly SessionRule[],
    private readonly known: KnownSessions,
    private readonly tokens: SealedTokens,
    private readonly settings: GuardrailsSettings,
  ) {
    super();
  }

  usablePage<T extends { readonly id: string }>(
    kind: CatalogKind,
    request: PageRequest,
    read: ReadPage<PageRequest, T>,
  ): Promise<Page<T>> {
    const list = this.allowlists.find((policy) => policy.kind === kind);
    if (!list) throw new Error(`no allowlist for resources of kind ${kind}`);
    if (!list.appliesTo()) return read(request);
    return this.sealedPage(kind, { request, read, allows: ({ id }) => list.allowsId(id) });
  }

  reachablePage(request: SessionListRequest, read: ReadPage<SessionListRequest, Session>): Promise<Page<Session>> {
    if (this.rulesFor(requireToolCall().principal).length === 0) return read(request);
    return this.sealedPage('session', { request, read, allows: (session) => this.mayReachSession(session) });
  }

  mayReachSession(session: Session): boolean {
    const { principal } = requireToolCall();
    const rules = this.rulesFor(principal);
    if (rules.length === 0) return true;
    const facts = factsOf(session);
    return rules.every((rule) => rule.allows(facts, principal));
  }

  metadataOfNewSession(): Readonly<Record<string, string>> {
    if (this.settings.sessionIsolation === 'none') return {};
    return { [OWNER_KEY]: ownerTag(requireToolCall().principal) };
  }

  started(session: Session): void {
    this.known.remember(session);
  }

  private rulesFor(principal: Principal): readonly SessionRule[] {
    return this.rules.filter((rule) => rule.appliesTo(principal));
  }

  private async sealedPage<T, R extends PageRequest>(kind: ResourceKind, listing: Listing<T, R>): Promise<Page<T>> {
    // The API's own cursor names the last item of its page, which the caller may not be allowed to see.
    const use = { purpose: `page of ${kind}`, binding: [principalId(requireToolCall().principal)] };
    const page = listing.request.page === undefined ? undefined : this.openPage(listing.request.page, use);
    const { nextPage, ...allowed } = await allowedPage({ ...listing, request: { ...listing.request, page } });
    return { ...allowed, nextPage: nextPage === undefined ? undefined : this.tokens.seal(nextPage, use) };
  }

  private openPage(token: string, use: TokenUse): string {
    const page = this.tokens.open(token, use);
    if (typeof page === 'string') return page;
    throw new ToolError(
      'page is not a next_page that this list gave you. Pass next_page unchanged, or leave page out to begin again.',
      'invalid_page',
    );
  }
}

/**
 * A page of the allowed items, filled up from the pages that follow: a short page would reveal how many items lie in
 * between. After {@link MAX_READS} requests it stays short, or empty, and its cursor continues from there.
 */
async function allowedPage<T, R extends PageRequest>({ request, read, allows }: Listing<T, R>): Promise<Page<T>> {
  const limit = request.limit ?? DEFAULT_LIMIT;
  const items: T[] = [];
  let { page } = request;
  let unreadable = 0;
  for (let reads = 1; ; reads++) {
    const listed = await read({ ...request, limit: limit - items.length, page });
    const { nextPage } = listed;
    items.push(...listed.items.filter(allows));
    unreadable += listed.unreadable ?? 0;
    if (nextPage === undefined || items.length >= limit || reads === MAX_READS) {
      return { items, nextPage, ...(unreadable > 0 && { unreadable }) };
    }
    page = nextPage;
  }
}
