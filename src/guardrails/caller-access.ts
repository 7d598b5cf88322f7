import { Inject, Injectable } from '@nestjs/common';
import { GuardrailsSettings } from '../config/guardrails.settings.js';
import { requireToolCall } from '../context/call.js';
import { type Principal, principalId } from '../context/principal.js';
import { type Page, type PageRequest } from '../managed-agents/page.js';
import { type Session, type SessionListRequest } from '../managed-agents/sessions.service.js';
import { type ReadPage, ResourceAccess } from '../mcp/resource-access.js';
import { type CatalogKind, type ResourceKind } from '../mcp/resource-arguments.js';
import { type Listing, permittedPage } from './listing/permitted-page.js';
import { SealedCursor } from './listing/sealed-cursor.js';
import { OWNER_KEY, ownerTag } from './owner.js';
import { type AllowlistPolicy } from './policies/allowlist.policy.js';
import { KnownSessions } from './sessions/known-sessions.js';
import { factsOf } from './sessions/session-facts.js';
import { SESSION_RULES, type SessionRule } from './sessions/session-rule.js';

/** The policies that are allowlists. */
export const ALLOWLISTS = Symbol('allowlists');

/** The rules of the guard, for tools that list and start things. */
@Injectable()
export class CallerAccess extends ResourceAccess {
  constructor(
    @Inject(ALLOWLISTS) private readonly allowlists: readonly AllowlistPolicy[],
    @Inject(SESSION_RULES) private readonly rules: readonly SessionRule[],
    private readonly known: KnownSessions,
    private readonly cursor: SealedCursor,
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
    if (!list) throw new Error(`no allowlist for things of kind ${kind}`);
    if (!list.concerns()) return read(request);
    return this.sealedPage(kind, { request, read, permits: ({ id }) => list.allows(id) });
  }

  reachablePage(request: SessionListRequest, read: ReadPage<SessionListRequest, Session>): Promise<Page<Session>> {
    if (this.rulesFor(requireToolCall().principal).length === 0) return read(request);
    return this.sealedPage('session', { request, read, permits: (session) => this.mayReachSession(session) });
  }

  mayReachSession(session: Session): boolean {
    const { principal } = requireToolCall();
    const rules = this.rulesFor(principal);
    if (rules.length === 0) return true;
    const facts = factsOf(session);
    return rules.every((rule) => rule.admits(facts, principal));
  }

  metadataOfNewSession(): Readonly<Record<string, string>> {
    if (this.settings.sessionIsolation === 'none') return {};
    return { [OWNER_KEY]: ownerTag(requireToolCall().principal) };
  }

  started(session: Session): void {
    this.known.remember(session);
  }

  private rulesFor(principal: Principal): readonly SessionRule[] {
    return this.rules.filter((rule) => rule.concerns(principal));
  }

  private async sealedPage<T, R extends PageRequest>(kind: ResourceKind, listing: Listing<T, R>): Promise<Page<T>> {
    const owner = principalId(requireToolCall().principal, kind);
    const page = listing.request.page === undefined ? undefined : this.cursor.open(listing.request.page, owner);
    const { items, nextPage } = await permittedPage({ ...listing, request: { ...listing.request, page } });
    return { items, nextPage: nextPage === undefined ? undefined : this.cursor.seal(nextPage, owner) };
  }
}
