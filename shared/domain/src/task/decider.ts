import type { Decider, Lookup } from '../decider.ts';
import { answer } from './answer.ts';
import { decide } from './decide.ts';
import type { TaskEvent } from './events.ts';
import { evolve } from './evolve.ts';
import type { TaskState } from './state.ts';

const lookup = (state: TaskState): Lookup => ({ status: state.status, type: state.type, wakeAt: null, wakeKind: 'due', waitsFor: [] });

export const taskDecider: Decider<TaskState, TaskEvent> = { decide, evolve, answer, react: () => [], announce: () => undefined, lookup };
