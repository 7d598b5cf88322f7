import { z } from 'zod';
import { budgetUsd, id, ids, MAX_MESSAGE_CHARS, metadata, title } from '../mcp/arguments.js';
import { ToolInput } from '../mcp/tool-input.js';

const MAX_DENY_MESSAGE_CHARS = 10_000;
const MAX_RESULT_CHARS = 100_000;
const MAX_RESPONSES = 50;
const MAX_DESCRIPTION_CHARS = 100_000;
/** Limits of the API for outcomes. */
const MAX_RUBRIC_CHARS = 262_144;
const MAX_ITERATIONS = 20;

const outcome = z.strictObject({
  description: z.string().min(1).max(MAX_DESCRIPTION_CHARS).describe('What to produce.'),
  rubric: z.string().min(1).max(MAX_RUBRIC_CHARS).describe('How it is graded.'),
  max_iterations: z.int().min(1).max(MAX_ITERATIONS).optional().describe('Default: 3.'),
});

export const messageInput = new ToolInput(
  {
    session_id: id('Session to talk to.', 'sesn_01...'),
    text: z.string().min(1).max(MAX_MESSAGE_CHARS).optional().describe('What to tell the agent.'),
    outcome: outcome.optional().describe('Instead of text: a goal that is graded, and revised until it is reached.'),
  },
  [
    { session_id: 'sesn_01...', text: 'Now write the tests.' },
    { session_id: 'sesn_01...', outcome: { description: 'A working build.', rubric: 'All tests pass.' } },
  ],
);

export const interruptInput = new ToolInput(
  {
    session_id: id('Session to stop.', 'sesn_01...'),
    then_message: z
      .string()
      .max(MAX_MESSAGE_CHARS)
      .optional()
      .describe('New direction, sent together with the interrupt.'),
  },
  [{ session_id: 'sesn_01...' }, { session_id: 'sesn_01...', then_message: 'Use the other branch.' }],
);

const customResult = z.strictObject({
  text: z.string().max(MAX_RESULT_CHARS),
  is_error: z.boolean().optional().describe('The tool failed; text says why.'),
});

export const respondInput = new ToolInput(
  {
    session_id: id('Session that asks.', 'sesn_01...'),
    tool_use_id: id('The call to answer: a tool_use_id of pending_actions.', 'sevt_01...').optional(),
    tool_use_ids: ids('Several calls to answer alike.', MAX_RESPONSES, 'sevt_01...').optional(),
    result: z.enum(['allow', 'deny']).optional().describe('For kind tool_confirmation.'),
    deny_message: z.string().max(MAX_DENY_MESSAGE_CHARS).optional().describe('Why, for the agent; only with deny.'),
    custom_result: customResult.optional().describe('For kind custom_tool_result, instead of result.'),
  },
  [
    { session_id: 'sesn_01...', tool_use_id: 'sevt_01...', result: 'allow' },
    { session_id: 'sesn_01...', tool_use_ids: ['sevt_01...'], result: 'deny', deny_message: 'Not on production.' },
  ],
);

export const updateInput = new ToolInput(
  {
    session_id: id('Session to change.', 'sesn_01...'),
    title: title.min(1).optional(),
    metadata: metadata.optional().describe('Keys to set; an empty value removes the key, others stay.'),
    budget_usd: budgetUsd.optional().describe('New spend limit, above cost_usd.'),
    remove_budget: z.boolean().optional().describe('Final: a removed limit cannot be set again.'),
  },
  [{ session_id: 'sesn_01...', title: 'Nightly build' }],
);
