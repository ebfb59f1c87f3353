import { join } from '../bulk/join.ts';
import type { Decider } from '../decider.ts';
import { answer } from './answer.ts';
import { decide } from './decide.ts';
import type { TaskEvent } from './events.ts';
import { evolve } from './evolve.ts';
import { lookup } from './lookup.ts';
import { announce, commandsOf, react } from './react.ts';
import type { TaskState } from './state.ts';

export const taskDecider: Decider<TaskState, TaskEvent> = {
  ...{ decide, evolve, answer, commandsOf, react, announce, lookup, join },
  concludes: () => undefined,
  isTold: () => true,
};
