import { closure, findCycle, walkFrom } from '@retrigger/domain/dependencies.ts';
import { array, assert, nat, property, tuple } from 'fast-check';
import { describe, expect, test } from 'vitest';

type Graph = { [taskId: string]: string[] };
const edgesOf = (graph: Graph) => (taskId: string) => graph[taskId];

/** Small graphs, dense enough for cycles: pairs of numbers are edges. */
const graphs = array(tuple(nat(7), nat(7)), { maxLength: 20 }).map((pairs) => {
  const graph: Graph = {};
  for (const [from, to] of pairs) graph[`t${from}`] = [...(graph[`t${from}`] ?? []), `t${to}`];
  return graph;
});

/** Reaches by brute force: the transitive closure, step by step until nothing is added. */
function reachable(from: string, graph: Graph): Set<string> {
  const reached = new Set(graph[from] ?? []);
  for (let size = -1; size !== reached.size; ) {
    size = reached.size;
    for (const taskId of [...reached]) for (const next of graph[taskId] ?? []) reached.add(next);
  }
  return reached;
}

describe('a cycle', () => {
  test.each<[string, Graph, string[] | undefined]>([
    ['none in a chain', { a: ['b'], b: ['c'] }, undefined],
    ['none in a diamond', { a: ['b', 'c'], b: ['d'], c: ['d'] }, undefined],
    ['of a task with itself', { a: ['a'] }, ['a', 'a']],
    ['of two', { a: ['b'], b: ['a'] }, ['a', 'b', 'a']],
    ['of three', { a: ['b'], b: ['c'], c: ['a'] }, ['a', 'b', 'c', 'a']],
    ['the shorter of two', { a: ['b', 'd'], b: ['c'], c: ['a'], d: ['a'] }, ['a', 'd', 'a']],
    ['none when it lies elsewhere (G2)', { a: ['b'], b: ['c'], c: ['b'] }, undefined],
    ['none with an edge to a task that is not there', { a: ['gone'] }, undefined],
  ])('is found: %s', (_, graph, path) => {
    expect(findCycle('a', edgesOf(graph))).toEqual(path);
  });

  test('is found exactly when the task reaches itself, and its path follows edges', () => {
    assert(
      property(graphs, (graph) => {
        const path = findCycle('t0', edgesOf(graph));
        expect(path !== undefined).toBe(reachable('t0', graph).has('t0'));
        if (path === undefined) return;
        expect([path[0], path.at(-1)]).toEqual(['t0', 't0']);
        expect(new Set(path).size).toBe(path.length - 1);
        for (const [index, taskId] of path.slice(0, -1).entries()) expect(graph[taskId]).toContain(path[index + 1]);
      }),
      { numRuns: 500 },
    );
  });
});

describe('the closure', () => {
  test('holds everything a task depends on, nearest first, each once, without itself', () => {
    expect(closure('a', edgesOf({ a: ['b', 'c'], b: ['d'], c: ['d', 'a'], d: ['e'] }))).toEqual(['b', 'c', 'd', 'e']);
    expect(closure('a', edgesOf({}))).toEqual([]);
  });

  test('is what brute force finds, with and without cycles', () => {
    assert(
      property(graphs, (graph) => {
        const expected = reachable('t0', graph);
        expected.delete('t0');
        expect(new Set(closure('t0', edgesOf(graph)))).toEqual(expected);
      }),
      { numRuns: 500 },
    );
  });
});

describe('a walk in rounds', () => {
  test('asks for the edges it needs, level by level', () => {
    const known: Graph = {};
    const walk = walkFrom('a');
    expect(walk.advance(edgesOf(known))).toEqual({ kind: 'need', taskIds: ['a'] });
    known.a = ['b', 'c'];
    expect(walk.advance(edgesOf(known))).toEqual({ kind: 'need', taskIds: ['b', 'c'] });
    known.b = ['d'];
    expect(walk.advance(edgesOf(known))).toEqual({ kind: 'need', taskIds: ['c'] });
    known.c = ['d'];
    known.d = [];
    expect(walk.advance(edgesOf(known))).toEqual({ kind: 'closed', tasks: ['b', 'c', 'd'] });
  });

  test('ends like a walk over everything at once, however the edges become known (G3)', () => {
    assert(
      property(graphs, array(nat(7), { maxLength: 30 }), (graph, hints) => {
        const known: Graph = {};
        const walk = walkFrom('t0');
        let step = walk.advance(edgesOf(known));
        for (let round = 0; step.kind === 'need'; round++) {
          expect(step.taskIds.every((taskId) => known[taskId] === undefined)).toBe(true);
          const first = step.taskIds[(hints[round] ?? 0) % step.taskIds.length] as string;
          known[first] = graph[first] ?? [];
          step = walk.advance(edgesOf(known));
        }
        expect(step).toEqual(walkFrom('t0').advance((taskId) => graph[taskId] ?? []));
      }),
      { numRuns: 500 },
    );
  });

  test('goes down a chain of 20,000 tasks, one level a round, without recursion (G1)', () => {
    const walk = walkFrom('t0');
    const known = new Map<string, string[]>();
    let step = walk.advance((taskId) => known.get(taskId));
    let rounds = 0;
    while (step.kind === 'need') {
      for (const taskId of step.taskIds) {
        const number = Number(taskId.slice(1));
        known.set(taskId, number < 20_000 ? [`t${number + 1}`] : ['t0']);
      }
      rounds++;
      step = walk.advance((taskId) => known.get(taskId));
    }
    expect(rounds).toBe(20_001);
    expect(step.kind === 'cycle' && step.path.length).toBe(20_002);
  });

  test('takes under 20 ms of processor time for a closure of 10,000 tasks, at the median', () => {
    const graph = new Map<string, string[]>();
    for (let index = 0; index < 10_000; index++)
      graph.set(
        `t${index}`,
        [1, 7, 100]
          .map((jump) => index + jump)
          .filter((to) => to < 10_000)
          .map((to) => `t${to}`),
      );
    const times: number[] = [];
    for (let run = 0; run < 40; run++) {
      const begin = process.cpuUsage();
      expect(closure('t0', (taskId) => graph.get(taskId))).toHaveLength(9_999);
      const { user, system } = process.cpuUsage(begin);
      times.push((user + system) / 1_000);
    }
    expect(times.sort((a, b) => a - b)[20]).toBeLessThan(20);
  });
});
