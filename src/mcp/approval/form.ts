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

/** The session and the agent whose call a form shows. */
export interface Asker {
  readonly sessionId: string;
  readonly sessionTitle?: string;
  readonly agent?: string;
}

/** The form in which a person allows or denies a call, or checks the result that is going to be sent for it. */
export function formFor(asker: Asker, action: PendingAction, proposed: CustomResult | undefined): InputRequest {
  return proposed ? resultForm(asker, action, proposed) : confirmationForm(asker, action);
}

function confirmationForm(asker: Asker, action: PendingAction): InputRequest {
  const isUnknown = action.kind === 'unknown';
  const question = isUnknown
    ? 'An agent waits for a decision on a call that was not found in its log. It can be denied only.'
    : 'An agent asks to run a tool. Allow it?';
  return inputRequired.elicit({
    message: [question, '', ...facts(asker, action)].join('\n'),
    requestedSchema: {
      type: 'object',
      properties: {
        decision: { type: 'string', title: 'Decision', enum: isUnknown ? ['deny'] : ['allow', 'deny'] },
        reason: REASON,
      },
      required: ['decision'],
    },
  });
}

function resultForm(asker: Asker, action: PendingAction, { text, isError }: CustomResult): InputRequest {
  const what = isError ? 'an error' : 'a result';
  return inputRequired.elicit({
    message: [
      `An agent waits for the result of a tool that runs at your side. Send it ${what}?`,
      '',
      ...facts(asker, action),
      '',
      ...shown(`Proposed ${isError ? 'error' : 'result'}`, text, 'It is in the arguments of session_respond.'),
    ].join('\n'),
    requestedSchema: {
      type: 'object',
      properties: { decision: { type: 'string', title: 'Decision', enum: ['send', 'dont_send'] } },
      required: ['decision'],
    },
  });
}

/** Names and input come from the agent and its tools: shown as data, without characters that could disguise it. */
function facts(
  { sessionId, sessionTitle, agent }: Asker,
  { tool, mcpServer, input, sessionThreadId }: PendingAction,
): string[] {
  const where = `The whole input is in session_events of this session, with format detailed.`;
  return [
    `Session: ${sessionId}${sessionTitle ? ` (${name(sessionTitle)})` : ''}`,
    `Agent: ${name(agent ?? 'unknown')}`,
    `Tool: ${name(tool ?? 'unknown')}`,
    ...(mcpServer === undefined ? [] : [`MCP server: ${name(mcpServer)}`]),
    ...(sessionThreadId === undefined ? [] : [`Asked by a sub-agent: ${name(sessionThreadId)}`]),
    ...shown('Input', input === undefined ? 'none' : JSON.stringify(input), where),
  ];
}

function name(text: string): string {
  return truncate(visible(text), MAX_NAME_CHARS);
}

/** A cut is announced before the text and after it: the text itself could imitate the mark of one. */
function shown(title: string, text: string, where: string): string[] {
  const plain = visible(text);
  const cut = truncateMiddle(plain, MAX_SHOWN_CHARS);
  if (plain.length <= MAX_SHOWN_CHARS) return [`${title}:`, cut];
  const missing = `${plain.length - MAX_SHOWN_CHARS} of ${plain.length} characters are left out of its middle. ${where}`;
  return [`${title}, not shown whole: ${missing}`, cut, `(End of the ${title.toLowerCase()}. ${missing})`];
}

/**
 * Characters that cannot be seen, look like blanks, or turn the direction of text are written out: everything but letters,
 * marks, numbers, punctuation, symbols and the plain space, and those among them that Unicode displays as nothing or that
 * fonts draw empty (Braille blank, empty note head, filler of Khitan).
 */
const UNSEEN = /\p{C}|\p{Z}|\p{Default_Ignorable_Code_Point}|\u2800|\u{1d159}|\u{16fe4}/gu;

function visible(text: string): string {
  return text.replace(UNSEEN, (character) =>
    character === ' ' ? character : `\\u{${character.codePointAt(0)?.toString(16).padStart(4, '0')}}`,
  );
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
