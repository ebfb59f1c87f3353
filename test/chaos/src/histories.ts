import { isDeepStrictEqual } from 'node:util';
import type { Event } from '@retrigger/domain/event.ts';
import type { TaskState } from '@retrigger/domain/task/state.ts';
import { taskView } from '@retrigger/domain/task/view.ts';
import { fold, triggersWereCalled, violations } from '@retrigger/test-history/checkers.ts';
import { dueTimesFireOnce, endedInTime, nothingIsOverdue } from '@retrigger/test-history/due-time-checkers.ts';
import { bulksKeptTheirWord, givenOnce, tenantsAreApart } from '@retrigger/test-history/effect-checkers.ts';
import { publishedAs } from '@retrigger/test-history/published-checkers.ts';
import type { Recorded, Violation } from '@retrigger/test-history/recorded.ts';
import { timeGoesOn } from '@retrigger/test-history/telling-checkers.ts';
import { forEach, type Reader } from './reader.ts';
import type { Recorder } from './recorder.ts';

/** What is due so shortly before the look may be under way. */
const OVERDUE_MS = 5_000;

/** Everything that is broken of what the world outside saw, against the histories that the API shows when all is over. */
export async function judgeHistories(seen: Recorder, reader: Reader): Promise<{ wrong: Violation[]; recorded: Recorded }> {
  const lookedAt = Date.now();
  const streams = new Map<string, Event[]>();
  const states = new Map<string, TaskState | undefined>();
  const shownOtherwise: Violation[] = [];
  await forEach(seen.tasks.keys(), async (key) => {
    const events = await reader.events(key);
    const state = fold(events);
    const shown = await reader.task(key);
    streams.set(key, events);
    states.set(key, state);
    if (state === undefined || !isDeepStrictEqual(taskView(state), shown))
      shownOtherwise.push(`${key} is shown as ${JSON.stringify(shown)}, which its events do not make`);
  });
  const { calls, runs, bulks } = seen;
  const ofHere = <T extends { key: string }>(all: T[]) => all.filter(({ key }) => streams.has(key));
  const published = publishedAs(streams, ofHere(seen.published));
  const acknowledged = [...seen.acknowledged, ...published.acknowledged];
  const recorded: Recorded = { streams, states: new Map(), acknowledged: ofHere(acknowledged), calls: ofHere(calls) };
  const withTarget = new Map([...streams].filter(([key]) => states.get(key)?.target));
  const wrong = [
    ...seen.wrong,
    ...shownOtherwise,
    ...published.wrong,
    ...violations(recorded),
    ...triggersWereCalled({ ...recorded, streams: withTarget }),
    ...dueTimesFireOnce(recorded),
    ...endedInTime(recorded),
    ...timeGoesOn(recorded),
    ...nothingIsOverdue({ ...recorded, states }, lookedAt - OVERDUE_MS),
    ...givenOnce(recorded, ofHere(runs)),
    ...bulksKeptTheirWord(recorded, bulks),
    ...tenantsAreApart(recorded),
  ];
  return { wrong, recorded };
}
