import { type Principal } from '../context/principal.js';
import { type Page, type PageRequest } from '../managed-agents/api-values.js';
import { type Session, type SessionListRequest } from '../managed-agents/sessions.service.js';
import { type RefusalError } from './errors/tool-error.js';
import { type CatalogKind } from './resource-arguments.js';
import { type ToolDefinition } from './tool.decorator.js';

/*
 * What src/mcp and the tools ask the guardrails. src/guardrails implements both classes.
 */

/** Which tools a principal sees and may call. A hidden tool is also refused: hiding alone protects nothing. */
export abstract class ToolAccess {
  abstract visible(tool: ToolDefinition, principal: Principal): boolean;
  /** Why such a call would be refused, by every rule that reads and counts nothing; undefined when none refuses it. */
  abstract refusal(call: AccessRequest): RefusalError | undefined;
}

/** Who wants to call which tool with which arguments. */
export interface AccessRequest {
  readonly tool: ToolDefinition;
  readonly principal: Principal;
  readonly arguments: Readonly<Record<string, unknown>>;
}

/** Reads one page of a list of the API. */
export type ReadPage<R, T> = (request: R) => Promise<Page<T>>;

/**
 * Which resources the caller of the running tool call may see. The guardrails refuse calls by the same rules. A tool asks
 * here when it shows more than one resource, and reports the sessions that it starts.
 */
export abstract class ResourceAccess {
  /** A page of the resources the caller may use. */
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

  /** For tools that page through sessions themselves. Takes the whole session, as the API returned it. */
  abstract mayReachSession(session: Session): boolean;

  /** Metadata that a session started by this call has to carry, besides what the caller gave. */
  abstract metadataOfNewSession(): Readonly<Record<string, string>>;

  /** Reports a session that was created, as the API returned it, so that it need not be read again to be checked. */
  abstract started(session: Session): void;
}
