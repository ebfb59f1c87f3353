/** The tasks that a task depends on, confirmed and proposed ones; undefined = not known yet. A task that doesn't exist has none. */
export type EdgesOf = (taskId: string) => readonly string[] | undefined;

/**
 * Where a walk stands. `need`: the edges of these tasks must be known before it can go on. `cycle`: the task depends on itself; `path` is a shortest
 * way round, the task first and last. `closed`: it doesn't; `tasks` are all that it depends on, nearest first, without itself.
 */
export type WalkStep =
  | { kind: 'need'; taskIds: string[] }
  | { kind: 'cycle'; path: [string, ...string[]] }
  | { kind: 'closed'; tasks: string[] };

/** A walk over everything that a task depends on, which stops where edges are not known yet and goes on from there. */
export type Walk = {
  /** Goes on as far as the edges are known. Call it again when more are. */
  advance(edgesOf: EdgesOf): WalkStep;
};

/**
 * G1: level by level, without recursion: a chain may be as deep as there are tasks, and each task's edges are followed once.
 * G2: only a cycle through `from` is reported. Others may be seen while two changes are under way; whoever stands on one finds it himself.
 * G3: the answer doesn't depend on how the edges became known, round by round or all at once, as long as they don't change meanwhile.
 */
export function walkFrom(from: string): Walk {
  /** Who led to a task first. */
  const parents = new Map<string, string>();
  let level = [from];

  const step = (edgesOf: EdgesOf): WalkStep | undefined => {
    const edges = level.map(edgesOf);
    if (edges.includes(undefined)) return { kind: 'need', taskIds: level.filter((_, index) => edges[index] === undefined) };
    const below: string[] = [];
    for (const [index, taskId] of level.entries()) {
      for (const next of edges[index] ?? []) {
        if (next === from) return { kind: 'cycle', path: wayRound(from, taskId, parents) };
        if (parents.has(next)) continue;
        parents.set(next, taskId);
        below.push(next);
      }
    }
    level = below;
    return level.length === 0 ? { kind: 'closed', tasks: [...parents.keys()] } : undefined;
  };

  return {
    advance(edgesOf) {
      for (;;) {
        const result = step(edgesOf);
        if (result !== undefined) return result;
      }
    },
  };
}

function wayRound(from: string, last: string, parents: ReadonlyMap<string, string>): [string, ...string[]] {
  const back: string[] = [];
  for (let at: string | undefined = last; at !== undefined && at !== from; at = parents.get(at)) back.push(at);
  return [from, ...back.reverse(), from];
}

/** A shortest way from the task back to itself, or undefined. Tasks that `edgesOf` doesn't know have no edges. */
export function findCycle(from: string, edgesOf: EdgesOf): [string, ...string[]] | undefined {
  const end = walkFrom(from).advance((taskId) => edgesOf(taskId) ?? []);
  return end.kind === 'cycle' ? end.path : undefined;
}

/** Everything that the task depends on, nearest first, without itself, whether or not there are cycles. Tasks that `edgesOf` doesn't know have no edges. */
export function closure(from: string, edgesOf: EdgesOf): string[] {
  const end = walkFrom(from).advance((taskId) => (edgesOf(taskId) ?? []).filter((next) => next !== from));
  return end.kind === 'closed' ? end.tasks : [];
}
