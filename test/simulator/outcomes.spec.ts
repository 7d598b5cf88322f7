import { Harness, interrupt, refusal } from './harness.js';
import { grade, say, wait } from './index.js';

const outcome = (max_iterations?: number) => ({
  type: 'user.define_outcome' as const,
  description: 'A report',
  rubric: { type: 'text' as const, content: 'It is short.' },
  ...(max_iterations && { max_iterations }),
});

describe('an outcome', () => {
  let harness: Harness;
  afterEach(() => harness.close());

  const verdicts = async (sid: string) =>
    (await harness.events(sid))
      .filter(({ type }) => type === 'span.outcome_evaluation_end')
      .map(({ result }) => result);

  it('is worked on, graded and revised until it satisfies', async () => {
    harness = await Harness.start({}, function* (turn) {
      yield say(`draft ${turn.outcome?.iteration}`);
      yield grade(turn.outcome?.iteration === 0 ? 'needs_revision' : 'satisfied', 'Shorter, please.');
    });
    const sid = await harness.session();
    const [accepted] = await harness.sendAndSettle(sid, outcome());
    expect(accepted).toMatchObject({
      outcome_id: expect.stringMatching(/^outc_/) as string,
      max_iterations: null,
      processed_at: expect.any(String) as string,
    });
    expect(await verdicts(sid)).toEqual(['needs_revision', 'satisfied']);
    const types = await harness.types(sid);
    expect(types.slice(0, 9)).toEqual([
      'user.define_outcome',
      'session.status_running',
      'session.thread_status_running',
      'span.model_request_start',
      'agent.message',
      'span.model_request_end',
      'span.outcome_evaluation_start',
      'span.outcome_evaluation_ongoing',
      'span.outcome_evaluation_end',
    ]);
    expect((await harness.sessions.retrieve(sid)).outcome_evaluations).toMatchObject([
      {
        outcome_id: accepted?.outcome_id,
        result: 'satisfied',
        iteration: 1,
        completed_at: expect.any(String) as string,
      },
    ]);
  });

  it('gives up after its iterations', async () => {
    harness = await Harness.start({}, [say('draft'), grade('needs_revision', 'No.')]);
    const sid = await harness.session();
    await harness.sendAndSettle(sid, outcome(2));
    expect(await verdicts(sid)).toEqual(['needs_revision', 'max_iterations_reached']);
    await harness.sendAndSettle(sid, outcome(1));
    expect((await verdicts(sid)).at(-1)).toBe('max_iterations_reached');
  });

  it('is interrupted before its first grading with an empty start id', async () => {
    harness = await Harness.start({}, [wait(60_000)]);
    const sid = await harness.session();
    await harness.sendAndSettle(sid, outcome());
    expect((await harness.sessions.retrieve(sid)).outcome_evaluations).toMatchObject([{ result: 'running' }]);
    expect((await refusal(harness.send(sid, outcome()))).status).toBe(400);
    await harness.sendAndSettle(sid, interrupt);
    const end = (await harness.events(sid)).find(({ type }) => type === 'span.outcome_evaluation_end');
    expect(end).toMatchObject({ result: 'interrupted', outcome_evaluation_start_id: '' });
    expect((await harness.events(sid)).at(-1)).toMatchObject({ stop_reason: { type: 'end_turn' } });
  });

  it('needs a rubric and a sane number of iterations, and may come with the session', async () => {
    harness = await Harness.start({}, [say('done')]);
    const sid = await harness.session();
    expect((await refusal(harness.send(sid, { ...outcome(), rubric: undefined as never }))).status).toBe(400);
    expect((await refusal(harness.send(sid, outcome(21)))).status).toBe(400);
    const created = await harness.sessions.create({
      agent: harness.agentId,
      environment_id: harness.environmentId,
      initial_events: [outcome()],
    });
    expect(created.status).toBe('running');
    await harness.sim.settle();
    expect(await verdicts(created.id)).toEqual(['satisfied']);
  });
});
