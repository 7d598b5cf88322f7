import { Logger } from '@nestjs/common';
import { isJsonObject, type JsonObject } from '../common/json.js';
import { boundNesting } from './bound-nesting.js';
import { isId } from './ids.js';
import { parseTime } from './log/time.js';
import { type ApiCall, type Item } from './operations.js';
import { UnusableAnswerError } from './unusable-answer.error.js';

const logger = new Logger('ManagedAgentsApi');

/** What has to be right about a thing before anything else reads it: what this server relies on, and no more. */
const IS_READABLE: Readonly<Record<Item, (item: JsonObject) => boolean>> = {
  thing: hasId,
  session: (item) =>
    hasId(item) &&
    typeof item.status === 'string' &&
    typeof item.created_at === 'string' &&
    parseTime(item.created_at) !== undefined &&
    isJsonObject(item.agent) &&
    hasId(item.agent),
  event: ({ type }) => typeof type === 'string',
};

/**
 * Parses an answer and checks that it has the shape its operation promises. Items of a list that cannot be read are left
 * out, counted and logged; the others stand. Values that are nested too deeply are replaced by a text that says so.
 *
 * @throws {UnusableAnswerError} when the whole answer cannot be one of the API
 */
export function checkAnswer(call: ApiCall, bytes: Uint8Array, response: Response): unknown {
  // The decoder drops a byte order mark.
  const body = boundNesting(parse(new TextDecoder().decode(bytes), response));
  const { answer } = call.operation;
  if (!isJsonObject(body)) throw notTheApi('no JSON object', response);
  if (answer.shape === 'list') {
    if (!Array.isArray(body.data)) throw notTheApi('no list', response);
    return { ...body, data: readable(call, answer.of, body.data) };
  }
  if (typeof body.id !== 'string' || typeof body.type !== 'string') throw notTheApi('no id or type', response);
  if (answer.shape === 'object' && !IS_READABLE[answer.of](body)) {
    throw new UnusableAnswerError('unreadable', `a ${answer.of} with unexpected fields`, response);
  }
  return body;
}

function parse(text: string, response: Response): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // JSON that is broken may come from the API; a page of a portal does not.
    const isJson = /^\s*[[{]/.test(text);
    throw isJson ? new UnusableAnswerError('unreadable', 'broken JSON', response) : notTheApi('no JSON', response);
  }
}

function readable(call: ApiCall, of: Item, items: readonly unknown[]): readonly unknown[] {
  const kept = items.filter((item) => isJsonObject(item) && IS_READABLE[of](item));
  call.unreadable = items.length - kept.length;
  if (call.unreadable > 0) {
    const { words } = call.operation;
    logger.warn({ message: 'items of a list could not be read', operation: words, unreadable: call.unreadable });
  }
  return call.unreadable > 0 ? kept : items;
}

function notTheApi(what: string, response: Response): UnusableAnswerError {
  return new UnusableAnswerError('not_the_api', what, response);
}

function hasId({ id }: JsonObject): boolean {
  return typeof id === 'string' && isId(id);
}
