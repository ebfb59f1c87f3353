import type { Command } from '../command.ts';
import { derive, taskKey } from '../identifiers.ts';
import type { TaskResult } from './commands.ts';
import { CHUNK } from './state.ts';

type Gather = Command & { type: 'GatherResults' };

/** What the tasks of one batch say to one bulk goes in one message, in the order in which they said it; in several when it is a lot. */
export function join(followUps: Command[]): Command[] {
  const joined: Command[] = [];
  const open = new Map<string, Gather[]>();
  for (const command of followUps) {
    if (command.type !== 'GatherResults') {
      joined.push(command);
      continue;
    }
    const key = taskKey(command.tenantId, command.taskId);
    const group = open.get(key);
    if (group === undefined) open.set(key, [command]);
    else group.push(command);
  }
  for (const group of open.values())
    for (let from = 0; from < group.length; from += CHUNK) joined.push(asOne(group.slice(from, from + CHUNK)));
  return joined;
}

function asOne(group: Gather[]): Command {
  const [first] = group;
  if (first === undefined) throw new Error('there is nothing to join');
  if (group.length === 1) return first;
  const results: TaskResult[] = group.flatMap(({ body }) => body.results);
  return { ...first, commandId: derive('joined', ...group.map(({ commandId }) => commandId)), body: { results } };
}
