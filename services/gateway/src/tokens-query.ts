import type { Caller } from './credentials.ts';
import type { GatewayDeps } from './deps.ts';
import type { EventQuery } from './event-query.ts';
import { isProblem } from './exchange.ts';
import type { Problem } from './problem.ts';
import type { TaskQuery } from './task-query.ts';

type Deps = Pick<GatewayDeps, 'privacy'>;

/** What is stored for a user. Who has none is looked for by the text itself: a part of the cluster, or the token of somebody who was erased. */
const storedAs = async ({ privacy: { ring } }: Deps, { tenantId }: Caller, name: string): Promise<string> =>
  (await ring.findToken(tenantId, name)) ?? name;

/** The query as the store understands it: who acted by token. A cursor stays good for the question as it was asked. */
export async function withActorsToken(deps: Deps, caller: Caller, query: EventQuery | Problem): Promise<EventQuery | Problem> {
  if (isProblem(query) || query.filter.actorId === undefined) return query;
  return { ...query, filter: { ...query.filter, actorId: await storedAs(deps, caller, query.filter.actorId) } };
}

/** The same for a list of tasks: who owns them. */
export async function withOwnersToken(deps: Deps, caller: Caller, query: TaskQuery | Problem): Promise<TaskQuery | Problem> {
  if (isProblem(query) || query.owner === undefined) return query;
  return { ...query, owner: await storedAs(deps, caller, query.owner) };
}
