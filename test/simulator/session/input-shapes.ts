import { array, choice, type Json, object, optionalString, string } from '../http/body.js';
import { invalid } from '../http/errors.js';
import type { ClientEvent } from '../wire.js';

const RUBRIC_LIMIT = 262_144;
const DENY_MESSAGE_LIMIT = 10_000;
const SYSTEM_BLOCK_LIMIT = 1000;
const MAX_ITERATIONS = 20;

type Check = (event: Json, path: string) => void;

const CHECKS: Record<ClientEvent['type'], Check> = {
  'user.message': ({ content }, path) => checkContent(content, `${path}.content`, ['text', 'image', 'document'], 1),
  'user.interrupt': ({ session_thread_id }, path) => {
    optionalString(session_thread_id, `${path}.session_thread_id`);
  },
  'user.tool_confirmation': checkConfirmation,
  'user.custom_tool_result': (event, path) => checkResult(event, path, 'custom_tool_use_id'),
  'user.tool_result': (event, path) => checkResult(event, path, 'tool_use_id'),
  'user.define_outcome': checkOutcome,
  'system.message': ({ content }, path) => {
    array(content, `${path}.content`, { max: SYSTEM_BLOCK_LIMIT });
    checkContent(content, `${path}.content`, ['text'], 1);
  },
};

/** What an event must look like whatever the session's state is. */
export function checkShape(value: unknown, path: string): ClientEvent {
  const event = object(value, path);
  const type = choice(event.type, `${path}.type`, Object.keys(CHECKS) as ClientEvent['type'][]);
  CHECKS[type](event, path);
  return event as unknown as ClientEvent;
}

function checkConfirmation({ tool_use_id, result, deny_message }: Json, path: string): void {
  string(tool_use_id, `${path}.tool_use_id`, { min: 1 });
  choice(result, `${path}.result`, ['allow', 'deny']);
  const message = optionalString(deny_message, `${path}.deny_message`, { max: DENY_MESSAGE_LIMIT });
  if (typeof message === 'string' && result !== 'deny') {
    throw invalid(`${path}.deny_message: may only be set when result is "deny"`);
  }
}

function checkResult(event: Json, path: string, idField: string): void {
  string(event[idField], `${path}.${idField}`, { min: 1 });
  if (event.content !== undefined) {
    checkContent(event.content, `${path}.content`, ['text', 'image', 'document', 'search_result']);
  }
  const { is_error } = event;
  if (is_error !== undefined && is_error !== null && typeof is_error !== 'boolean') {
    throw invalid(`${path}.is_error: must be a boolean`);
  }
}

function checkOutcome({ description, rubric, max_iterations }: Json, path: string): void {
  string(description, `${path}.description`, { min: 1 });
  const { type, content, file_id } = object(rubric, `${path}.rubric`);
  if (choice(type, `${path}.rubric.type`, ['text', 'file']) === 'text') {
    string(content, `${path}.rubric.content`, { min: 1, max: RUBRIC_LIMIT });
  } else {
    string(file_id, `${path}.rubric.file_id`, { min: 1 });
  }
  if (max_iterations === undefined || max_iterations === null) return;
  const valid =
    Number.isInteger(max_iterations) && Number(max_iterations) >= 1 && Number(max_iterations) <= MAX_ITERATIONS;
  if (!valid) throw invalid(`${path}.max_iterations: must be between 1 and ${MAX_ITERATIONS}`);
}

function checkContent(content: unknown, path: string, types: readonly string[], min = 0): void {
  array(content, path, { min }).forEach((value, index) => {
    const block = object(value, `${path}[${index}]`);
    if (choice(block.type, `${path}[${index}].type`, types) === 'text') string(block.text, `${path}[${index}].text`);
  });
}
