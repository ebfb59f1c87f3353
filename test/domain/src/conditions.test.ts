import { type Conditions, type Evidence, judge, namedTasks, needsClosure, type TaskEvidence } from '@retrigger/domain/conditions.ts';
import type { Json } from '@retrigger/domain/json.ts';
import { array, assert, boolean, constantFrom, property, record } from 'fast-check';
import { describe, expect, test } from 'vitest';

const done = (result: Json = null): TaskEvidence => ({
  status: 'Completed',
  ended: { status: 'Completed', runId: 'run_1', result },
});
const broken: TaskEvidence = { status: 'Failed', ended: { status: 'Failed', runId: 'run_1' } };
const now = (status: string): TaskEvidence => ({ status, ended: null });

const evidence = (tasks: { [taskId: string]: TaskEvidence }, more: Partial<Evidence> = {}): Evidence => ({
  dependencies: Object.keys(tasks),
  closure: Object.keys(tasks),
  task: (taskId) => (Object.hasOwn(tasks, taskId) ? tasks[taskId] : undefined),
  ...more,
});

describe('dependenciesComplete', () => {
  test('true looks at the whole closure, not only at the direct dependencies', () => {
    const tasks = { b: done(), c: now('Running') };
    expect(judge({ dependenciesComplete: true }, evidence(tasks, { dependencies: ['b'] }))).toEqual({
      met: false,
      verdict: [
        { taskId: 'b', required: 'Completed', actual: 'Completed', met: true },
        { taskId: 'c', required: 'Completed', actual: 'Running', met: false },
      ],
    });
    expect(judge({ dependenciesComplete: true }, evidence({ b: done(), c: done() })).met).toBe(true);
  });

  test('true holds for a task that depends on nothing', () => {
    expect(judge({ dependenciesComplete: true }, evidence({}))).toEqual({ met: true, verdict: [] });
  });

  test('a list looks at the tasks it names only', () => {
    expect(judge({ dependenciesComplete: ['b'] }, evidence({ b: done(), c: now('Draft') })).met).toBe(true);
    expect(judge({ dependenciesComplete: ['b', 'c'] }, evidence({ b: done(), c: now('Draft') })).met).toBe(false);
  });

  test('a task that is not there is unmet and said to be unknown', () => {
    expect(judge({ dependenciesComplete: ['gone'] }, evidence({}))).toEqual({
      met: false,
      verdict: [{ taskId: 'gone', required: 'Completed', actual: 'unknown task', met: false }],
    });
  });
});

describe('dependenciesCompleted', () => {
  const tasks = { a: done(), b: now('Scheduled'), c: done() };

  test('min counts the direct dependencies; each line says whether its task counts (C4)', () => {
    expect(judge({ dependenciesCompleted: { min: 2 } }, evidence(tasks))).toEqual({
      met: true,
      verdict: [
        { taskId: 'a', required: 'Completed (at least 2 of 3)', actual: 'Completed', met: true },
        { taskId: 'b', required: 'Completed (at least 2 of 3)', actual: 'Scheduled', met: false },
        { taskId: 'c', required: 'Completed (at least 2 of 3)', actual: 'Completed', met: true },
      ],
    });
    expect(judge({ dependenciesCompleted: { min: 3 } }, evidence(tasks)).met).toBe(false);
    expect(judge({ dependenciesCompleted: { min: 1 } }, evidence(tasks, { dependencies: ['b'], closure: ['a', 'b'] })).met).toBe(false);
  });

  test('a list wants all it names', () => {
    expect(judge({ dependenciesCompleted: ['a', 'c'] }, evidence(tasks)).met).toBe(true);
    expect(judge({ dependenciesCompleted: ['a', 'b'] }, evidence(tasks)).met).toBe(false);
  });
});

describe('outcome', () => {
  test('tells the branches apart', () => {
    expect(judge({ outcome: { taskId: 'a', status: 'Failed' } }, evidence({ a: broken }))).toEqual({
      met: true,
      verdict: [{ taskId: 'a', required: 'Failed', actual: 'Failed', met: true }],
    });
    expect(judge({ outcome: { taskId: 'a', status: 'Completed' } }, evidence({ a: broken })).met).toBe(false);
    expect(judge({ outcome: { taskId: 'a', status: 'Failed' } }, evidence({ a: done() })).met).toBe(false);
  });

  test('is not met by a cancelled task', () => {
    expect(judge({ outcome: { taskId: 'a', status: 'Failed' } }, evidence({ a: now('Cancelled') })).met).toBe(false);
  });

  const wants = (path: string, equals: Json): Conditions => ({ outcome: { taskId: 'a', status: 'Completed', result: { path, equals } } });
  const a = evidence({ a: done({ ok: true, items: [{ id: 7 }], nothing: null }) });

  test.each<[string, Json, boolean]>([
    ['/ok', true, true],
    ['/ok', 'true', false],
    ['/items/0/id', 7, true],
    ['/items/0', { id: 7 }, true],
    ['/nothing', null, true],
    ['/missing', null, false],
    ['', { nothing: null, items: [{ id: 7 }], ok: true }, true],
  ])('compares the result at %j with %j', (path, equals, met) => {
    expect(judge(wants(path, equals), a).met).toBe(met);
  });

  test('explains what was wanted and what was found, without showing the other task’s result', () => {
    expect(judge(wants('/items/0/id', 8), a).verdict).toEqual([
      {
        taskId: 'a',
        required: 'Completed with result /items/0/id equal to 8',
        actual: 'Completed with another value at /items/0/id',
        met: false,
      },
    ]);
    expect(judge(wants('/missing', 1), a).verdict[0]?.actual).toBe('Completed with nothing at /missing');
    expect(judge(wants('', 1), a).verdict[0]?.actual).toBe('Completed with another value as a whole');
    expect(judge(wants('/ok', true), evidence({ a: now('Running') })).verdict[0]?.actual).toBe('Running');
  });
});

describe('what counts as ended', () => {
  test('a run that will be tried again satisfies nothing (C2)', () => {
    const between = evidence({ a: now('Scheduled') });
    expect(judge({ outcome: { taskId: 'a', status: 'Failed' } }, between).met).toBe(false);
    expect(judge({ dependenciesComplete: ['a'] }, between).met).toBe(false);
  });

  test('a recurring task, Scheduled again after its run, counts by how that run ended', () => {
    const recurring: TaskEvidence = { ...done(), status: 'Scheduled' };
    expect(judge({ dependenciesComplete: ['a'] }, evidence({ a: recurring })).verdict).toEqual([
      { taskId: 'a', required: 'Completed', actual: 'Completed', met: true },
    ]);
  });
});

describe('several conditions', () => {
  const conditions: Conditions = {
    dependenciesComplete: ['a'],
    dependenciesCompleted: { min: 1 },
    outcome: { taskId: 'b', status: 'Failed' },
  };

  test('must all hold, and each is explained in turn (C1)', () => {
    const tasks = { a: done(), b: broken };
    expect(judge(conditions, evidence(tasks)).met).toBe(true);
    expect(judge(conditions, evidence(tasks)).verdict.map(({ taskId, required }) => [taskId, required])).toEqual([
      ['a', 'Completed'],
      ['a', 'Completed (at least 1 of 2)'],
      ['b', 'Completed (at least 1 of 2)'],
      ['b', 'Failed'],
    ]);
    expect(judge(conditions, evidence({ ...tasks, b: done() })).met).toBe(false);
  });

  test('hold together exactly when each holds alone (C1)', () => {
    const states = record({
      a: constantFrom(done(), broken, now('Running')),
      b: constantFrom(done(), broken, now('Scheduled')),
      c: constantFrom(done(), now('Draft')),
    });
    const single: Conditions[] = [
      { dependenciesComplete: true },
      { dependenciesComplete: ['a', 'c'] },
      { dependenciesCompleted: { min: 2 } },
      { outcome: { taskId: 'b', status: 'Failed' } },
    ];
    assert(
      property(states, array(boolean(), { minLength: 4, maxLength: 4 }), (tasks, picks) => {
        const chosen = single.filter((_, index) => picks[index]);
        const alone = Object.assign({}, ...chosen) as Conditions;
        const parts = Object.entries(alone).map(([field, value]) => judge({ [field]: value }, evidence(tasks)));
        const together = judge(alone, evidence(tasks));
        expect(together.met).toBe(parts.every((part) => part.met));
        expect(together.verdict).toEqual(parts.flatMap((part) => part.verdict));
      }),
    );
  });
});

describe('the edges that conditions add', () => {
  test('are the tasks they name, sorted, each once', () => {
    expect(
      namedTasks({ dependenciesComplete: ['c', 'a'], dependenciesCompleted: ['a', 'b'], outcome: { taskId: 'd', status: 'Failed' } }),
    ).toEqual(['a', 'b', 'c', 'd']);
    expect(namedTasks({ dependenciesComplete: true, dependenciesCompleted: { min: 1 } })).toEqual([]);
  });

  test('only dependenciesComplete: true needs the whole closure', () => {
    expect(needsClosure({ dependenciesComplete: true })).toBe(true);
    expect(needsClosure({ dependenciesComplete: ['a'], dependenciesCompleted: { min: 1 } })).toBe(false);
  });
});
