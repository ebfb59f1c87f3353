import type { TaskState } from '@retrigger/domain/task/state.ts';
import { beforeEach, describe, expect, test } from 'vitest';
import { type Door, startDoor } from './door.ts';

/** Of what one request may put into an event or a task, nearly all. */
const LARGE = 'x'.repeat(250_000);
const MOST_BYTES = 8 * 1_048_576;

type Page = { pageInfo: { hasMore: boolean; nextCursor: string | null } };

describe('a page of a thousand large ones ends before it is large itself, and walking the cursor neither loses nor repeats one', () => {
  let door: Door;
  beforeEach(() => {
    door = startDoor();
  });
  const walk = async <P extends Page>(path: string, idsOf: (page: P) => string[]) => {
    const [seen, sizes]: [string[], number[]] = [[], []];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const { json, text } = await door.ask(`${path}${path.includes('?') ? '&' : '?'}pageSize=1000&cursor=${cursor}`);
      const page: P = json.data;
      seen.push(...idsOf(page));
      sizes.push(text.length);
      expect(page.pageInfo.hasMore).toBe(page.pageInfo.nextCursor !== null);
      cursor = page.pageInfo.nextCursor;
    }
    expect(Math.max(...sizes)).toBeLessThan(MOST_BYTES);
    return seen;
  };

  test.each(['/api/v1/tasks/t/events', '/api/v1/tasks/t/events?order=desc', '/api/v1/events', '/api/v1/events?order=desc'])(
    'of events: %s',
    async (path) => {
      door.seed(
        'default',
        't',
        Array.from({ length: 60 }, () => 'TaskTriggered'),
      );
      door.mark = { at: door.clock.now() + 86_400_000, newest: 0 };
      for (const [i, stored] of door.events.entries()) {
        stored.event.metadata = i === 0 ? {} : { context: LARGE };
        stored.json = JSON.stringify(stored.event);
      }
      const seen = await walk<Page & { events: { sequence: number }[] }>(path, ({ events }) =>
        events.map(({ sequence }) => String(sequence)),
      );
      expect(path.endsWith('desc') ? seen.reverse() : seen).toEqual(Array.from({ length: 60 }, (_, i) => String(i + 1)));
    },
  );

  test.each(['/api/v1/tasks', '/api/v1/tasks?critical=false'])('of tasks: %s', async (path) => {
    const ids = Array.from({ length: 60 }, (_, i) => `t${String(i).padStart(2, '0')}`);
    for (const [i, taskId] of ids.entries()) {
      door.seed('default', taskId, ['TaskCreated']);
      const snapshot = door.snapshots.get(`default/${taskId}`);
      if (snapshot === undefined) throw new Error('it was not seeded');
      const state = snapshot.state as TaskState;
      snapshot.state = { ...state, critical: false, context: i === 0 ? {} : { text: LARGE } };
    }
    expect(await walk<Page & { tasks: { taskId: string }[] }>(path, ({ tasks }) => tasks.map(({ taskId }) => taskId))).toEqual(ids);
  });
});
