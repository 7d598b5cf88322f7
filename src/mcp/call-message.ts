import { argumentsObject, isObject } from './argument-reader.js';

/**
 * A JSON-RPC message, or a batch of them, in which the arguments of tool calls are an object where that is what the client
 * meant. It runs before the MCP SDK checks messages, which accepts nothing else.
 */
export function withArgumentsObject<Message>(message: Message): Message {
  if (Array.isArray(message)) return message.map(withArgumentsObject) as Message;
  if (!isObject(message) || message.method !== 'tools/call' || !isObject(message.params)) return message;
  const { params } = message;
  if (!('arguments' in params)) return message;
  return { ...message, params: { ...params, arguments: argumentsObject(params.arguments) } };
}
