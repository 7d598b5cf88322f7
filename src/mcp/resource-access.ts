import { type Page, type PageRequest } from '../managed-agents/api-values.js';
import { type Session, type SessionListRequest } from '../managed-agents/sessions.service.js';
import { type CatalogKind } from './resource-arguments.js';

/** Reads one page of a list of the API. */
export type ReadPage<R, T> = (request: R) => Promise<Page<T>>;

/**
 * What the caller of the running tool call may know of. Guardrails implement it, and refuse calls by the same rules; tools
 * ask it where they show more than one thing, and tell it what they start.
 */
export abstract class ResourceAccess {
  /** A page of the things the caller may use. */
  abstract usablePage<T extends { readonly id: string }>(
    kind: CatalogKind,
    request: PageRequest,
    read: ReadPage<PageRequest, T>,
  ): Promise<Page<T>>;

  /** A page of the sessions the caller may reach. */
  abstract reachablePage(
    request: SessionListRequest,
    read: ReadPage<SessionListRequest, Session>,
  ): Promise<Page<Session>>;

  /** For tools that go through sessions in their own way. Takes a session as the API returned it, whole. */
  abstract mayReachSession(session: Session): boolean;

  /** Metadata that a session started by this call has to carry, besides what the caller gave. */
  abstract metadataOfNewSession(): Readonly<Record<string, string>>;

  /** A session was created, as the API returned it; nobody has to read it again to judge it. */
  abstract started(session: Session): void;
}
