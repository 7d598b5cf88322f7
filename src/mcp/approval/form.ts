import { type InputRequest, inputRequired, inputResponse } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { type PendingAction } from '../../managed-agents/log/pending.js';
import { type Answer } from '../../managed-agents/respond/answer.js';
import { truncate, truncateMiddle } from '../result/truncate.js';

export type CustomResult = Extract<Answer, { type: 'custom_result' }>;

/** Longest input or result a form shows, in characters; the middle of a longer one is cut out, and the form says so. */
const MAX_SHOWN_CHARS = 4000;
const MAX_NAME_CHARS = 200;
/** The API's limit for the reason of a denial. */
const MAX_REASON_CHARS = 10_000;

const REASON = {
  type: 'string' as const,
  title: 'Reason',
  description: 'Optional; told to the agent when you deny.',
  maxLength: MAX_REASON_CHARS,
};

const confirmed = z.object({
  decision: z.enum(['allow', 'deny']),
  reason: z.string().max(MAX_REASON_CHARS).optional(),
});
const checked = z.object({ decision: z.enum(['send', 'dont_send']) });

/** Why a person's answer to a form is none: the form was declined or closed, or says not to send. */
export type Withheld = 'declined' | 'cancelled' | 'not_sent' | 'unreadable';

/** The form in which a person allows or denies a call, or looks over the result that is going to be sent for it. */
export function formFor(action: PendingAction, proposed: CustomResult | undefined): InputRequest {
  return proposed ? resultForm(action, proposed) : confirmationForm(action);
}

function confirmationForm(action: PendingAction): InputRequest {
  return inputRequired.elicit({
    message: ['An agent asks to run a tool. Allow it?', '', ...facts(action)].join('\n'),
    requestedSchema: {
      type: 'object',
      properties: { decision: { type: 'string', title: 'Decision', enum: ['allow', 'deny'] }, reason: REASON },
      required: ['decision'],
    },
  });
}

function resultForm(action: PendingAction, { text, isError }: CustomResult): InputRequest {
  const what = isError ? 'an error' : 'a result';
  return inputRequired.elicit({
    message: [
      `An agent waits for the result of a tool that runs at your side. Send it ${what}?`,
      '',
      ...facts(action),
      '',
      `Proposed ${isError ? 'error' : 'result'}:`,
      shown(text),
    ].join('\n'),
    requestedSchema: {
      type: 'object',
      properties: { decision: { type: 'string', title: 'Decision', enum: ['send', 'dont_send'] } },
      required: ['decision'],
    },
  });
}

/** Names and input come from the agent and its tools: shown as data, without characters that could disguise it. */
function facts({ tool, mcpServer, input, sessionThreadId }: PendingAction): string[] {
  return [
    `Tool: ${name(tool ?? 'unknown')}`,
    ...(mcpServer === undefined ? [] : [`MCP server: ${name(mcpServer)}`]),
    ...(sessionThreadId === undefined ? [] : [`Asked by a sub-agent: ${name(sessionThreadId)}`]),
    'Input:',
    shown(JSON.stringify(input) ?? 'none'),
  ];
}

function name(text: string): string {
  return truncate(visible(text), MAX_NAME_CHARS);
}

function shown(text: string): string {
  const plain = visible(text);
  const cut = truncateMiddle(plain, MAX_SHOWN_CHARS);
  return plain.length > MAX_SHOWN_CHARS ? `${cut}\n(Too long to be shown whole: part of it is left out above.)` : cut;
}

/** Control characters, and those that turn the direction of text or cannot be seen, are written out. */
function visible(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}

/** What a person answered to the form of one call. The client sends it, so it is checked again. */
export function readForm(
  responses: Record<string, unknown> | undefined,
  toolUseId: string,
  proposed: CustomResult | undefined,
): Answer | Withheld {
  const response = inputResponse(responses, toolUseId);
  if (response.kind !== 'elicit') return 'unreadable';
  if (response.action === 'decline') return 'declined';
  if (response.action === 'cancel') return 'cancelled';
  return proposed ? readCheck(response.content, proposed) : readConfirmation(response.content);
}

function readConfirmation(content: unknown): Answer | Withheld {
  const { data } = confirmed.safeParse(content);
  if (!data) return 'unreadable';
  if (data.decision === 'allow') return { type: 'allow' };
  return { type: 'deny', ...(data.reason && { message: data.reason }) };
}

function readCheck(content: unknown, proposed: CustomResult): Answer | Withheld {
  const { data } = checked.safeParse(content);
  if (!data) return 'unreadable';
  return data.decision === 'send' ? proposed : 'not_sent';
}
