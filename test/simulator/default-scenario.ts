import { ask, customTool, error, say, type Scenario, think, tool } from './scenario.js';

/** What agents without a scenario of their own do, for people who play by hand. */
export const DEFAULT_KEYWORDS = {
  'approve …': 'asks for permission to run a bash command',
  'custom …': 'calls the custom tool lookup_order and waits for your result',
  'fail …': 'ends the turn with a session.error and retries_exhausted',
  'long …': 'works for half a minute',
  'anything else': 'runs one bash command and echoes the message',
} as const;

export const defaultScenario: Scenario = function* (turn) {
  const text = turn.texts.at(-1) ?? turn.outcome?.description ?? '';
  const word = /\b(approve|custom|fail|long)/i.exec(text)?.[1]?.toLowerCase();
  yield think();
  if (word === 'fail') {
    yield error({ type: 'model_overloaded_error', message: 'The model is overloaded.', retry_status: 'exhausted' });
    return;
  }
  if (word === 'approve') {
    const [call] = yield ask({ name: 'bash', input: { command: 'make deploy' }, result: 'deployed\n' });
    yield say(call?.decision === 'deny' ? `I did not deploy: ${call.text}` : 'Done: the deployment went through.');
    return;
  }
  if (word === 'custom') {
    const [call] = yield customTool({ name: 'lookup_order', input: { order: '1234' } });
    yield say(`The order system answered: ${call?.text ?? ''}`);
    return;
  }
  if (word === 'long') {
    yield tool({ name: 'bash', input: { command: 'sleep 30' }, result: '', durationMs: 30_000 });
  } else {
    yield tool({ name: 'bash', input: { command: `echo ${JSON.stringify(text)}` }, result: `${text}\n` });
  }
  yield say(`You said: ${turn.texts.at(-1) ?? text}`);
};
