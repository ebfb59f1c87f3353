import type { Decider } from '../decider.ts';
import { decide } from './decide.ts';
import type { BulkEvent } from './events.ts';
import { evolve } from './evolve.ts';
import { join } from './join.ts';
import { lookup } from './lookup.ts';
import { outcomeOf } from './outcome.ts';
import { concludes, react } from './react.ts';
import type { BulkState } from './state.ts';

/** B1: what a bulk decides stands in its own stream. The tasks' own events tell what came of it; nobody outside sees the bulk's (E5 in event-store.ts). */
export const bulkDecider: Decider<BulkState, BulkEvent> = {
  decide,
  evolve,
  answer: (event, state) => (event.newState === 'Ended' && state !== undefined ? outcomeOf(state) : { kind: 'deferred' }),
  concludes,
  commandsOf: (event) => [concludes(event)?.commandId ?? []].flat(),
  react,
  announce: () => undefined,
  lookup,
  isTold: () => false,
  join,
};
