import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { EventLogService } from '../managed-agents/event-log.service.js';
import { awaitingResumption } from '../managed-agents/log/cursor.js';
import { encodeCursor } from '../managed-agents/log/cursor-text.js';
import { budgetOf, dollars } from '../managed-agents/api-values.js';
import { SessionsService, type SessionUpdateParams } from '../managed-agents/sessions.service.js';
import { budgetUsd, id, metadataPatch, title as titleArgument } from '../mcp/arguments.js';
import { type Input, ToolInput } from '../mcp/tool-input.js';
import { ToolError } from '../mcp/errors/tool-error.js';
import { WAIT } from './interact.service.js';

export const updateInput = new ToolInput(
  {
    session_id: id('Session to change.', 'sesn_01...'),
    title: titleArgument.min(1).optional(),
    metadata: metadataPatch.optional().describe('Keys to set; an empty value removes the key, others stay.'),
    budget_usd: budgetUsd.optional().describe('New spend limit, above cost_usd.'),
    remove_budget: z.boolean().optional().describe('Final: a removed limit cannot be set again.'),
  },
  [{ session_id: 'sesn_01...', title: 'Nightly build' }],
);

type Update = Input<typeof updateInput>;

/** Changes the title, the metadata and the budget of a session that has not ended. */
@Injectable()
export class UpdateService {
  constructor(
    private readonly sessions: SessionsService,
    private readonly log: EventLogService,
  ) {}

  async update({ session_id, ...change }: Update): Promise<object> {
    const params = updateParams(change);
    const reads = [this.log.cursorAtEnd(session_id), this.log.situation(session_id)] as const;
    const [before, { turn }] = await Promise.all(reads);
    const { title, metadata, budget, usage, status } = await this.sessions.update(session_id, params);
    const resumes = turn === 'budget_reached' && params.budget !== undefined;
    return {
      ok: true,
      session_id,
      title,
      metadata,
      budget_usd: dollars(budget?.max_list_cost),
      cost_usd: dollars(usage?.list_cost),
      status,
      // The log can lack the change for a moment, and a wait would then return the pause before it as new.
      next_since: encodeCursor(resumes ? awaitingResumption(before) : before),
      next_step: resumes ? `The session continues where its budget stopped it. ${WAIT}` : 'Nothing else is needed.',
    };
  }
}

function updateParams({ title, metadata, budget_usd, remove_budget }: Omit<Update, 'session_id'>): SessionUpdateParams {
  if (budget_usd !== undefined && remove_budget) {
    throw new ToolError(
      'budget_usd and remove_budget cannot be combined: give one of them. Nothing was changed.',
      'invalid_update',
    );
  }
  const params: SessionUpdateParams = {
    ...(title !== undefined && { title }),
    ...(metadata && { metadata: patchOf(metadata) }),
    ...(budget_usd !== undefined && { budget: budgetOf(budget_usd) }),
    ...(remove_budget && { budget: null }),
  };
  if (Object.keys(params).length > 0) return params;
  throw new ToolError('Nothing to change: give title, metadata, budget_usd or remove_budget=true.', 'invalid_update');
}

/** The API removes a key that is null; an empty string means the same. */
function patchOf(metadata: Readonly<Record<string, string | null>>): Record<string, string | null> {
  return Object.fromEntries(Object.entries(metadata).map(([key, value]) => [key, value === '' ? null : value]));
}
