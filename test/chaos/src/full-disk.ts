import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createClient } from '@retrigger/client/client.ts';
import { createExecutor } from '@retrigger/client/executor.ts';
import { freePorts } from '@retrigger/test-cluster/installation.ts';
import { type Child, kill } from '@retrigger/test-faults/child.ts';
import type { PrivateMounts } from '@retrigger/test-faults/small-disk.ts';
import { eventually } from '@retrigger/test-gateway/eventually.ts';
import type { Violation } from '@retrigger/test-history/recorded.ts';
import { CLAIMED_TYPE, CONSUMED_TYPE } from './executors.ts';
import { judgeHistories } from './histories.ts';
import { startOutside } from './outside.ts';
import type { Random } from './random.ts';
import { Reader } from './reader.ts';
import { Recorder } from './recorder.ts';
import { live } from './stories.ts';
import { type Tenant, User } from './user.ts';
import { tasksToRun, waitForAll } from './wait.ts';

const KEY = 'the-first-key-of-a-full-disk';
const DISK_MB = 64;
const USERS = 6;
const SOME = 60;
const FULL_MS = 4_000;
const PROBE_MS = 10_000;
/** What has not happened by then never does. */
const WITHIN_MS = 120_000;
/** How `run` of @retrigger/lifecycle ends a service that can't start and says what its user can mend. */
const CANNOT_START = 1;

/**
 * The embedded profile whose data folder gets full while it is used, twice; the second time it is killed and can't start before there is room again. While it is
 * full it says so and refuses; it needs nobody's hand when there is room.
 */
export async function fullDisk(mounts: PrivateMounts, folder: string, random: Random, say: (line: string) => void): Promise<Violation[]> {
  const disk = await mounts.disk(join(folder, 'data'), DISK_MB);
  const outside = await startOutside(['default']);
  const port = await freePorts(1);
  const url = `http://127.0.0.1:${port}`;
  const start = () =>
    mounts.start(fileURLToPath(import.meta.resolve('@retrigger/standalone/main.ts')), [], {
      ...{ PORT: String(port), RETRIGGER_DATA_DIR: disk.folder, RETRIGGER_API_KEY: KEY, RETRIGGER_ALLOW_PRIVATE_TARGETS: 'true' },
      ...{ RETRIGGER_LIMIT_USER_PER_HOUR: '0', RETRIGGER_LIMIT_TASK_PER_HOUR: '0', RETRIGGER_LIMIT_SYSTEM_PER_MINUTE: '0' },
      RETRIGGER_LOG_LEVEL: 'warn',
    });
  let child: Child = start();
  const recorder = new Recorder('full-disk');
  outside.recorder = recorder;
  const tenant: Tenant = { id: 'default', key: KEY, doors: [url], publisher: null };
  const client = createClient({ url, key: KEY });
  const executor = createExecutor({
    ...{ client, types: [CLAIMED_TYPE, CONSUMED_TYPE], trouble: () => {} },
    async run({ executionId, taskId }) {
      recorder.runs.push({ key: `default/${taskId}`, executionId, by: 'the executor' });
      return { done: taskId };
    },
  });
  const statusOf = async (path: string, init: RequestInit = {}): Promise<number> => {
    const response = await fetch(`${url}${path}`, { ...init, signal: AbortSignal.timeout(PROBE_MS) }).catch(() => undefined);
    await response?.text().catch(() => {});
    return response?.status ?? 0;
  };
  const readiness = () => statusOf('/readyz');
  /** Of one that nobody has sent before: what is in the log and not in the store yet is pending, not refused. */
  const isRefused = async () => {
    const headers = { authorization: `Bearer ${KEY}`, 'content-type': 'application/json', prefer: 'respond-async' };
    return (await statusOf('/api/v1/tasks', { method: 'POST', headers, body: '{"type":"probe"}' })) === 503;
  };
  const goesOn = async () => {
    const enough = recorder.acknowledged.length + SOME;
    await eventually('commands are acknowledged', async () => recorder.acknowledged.length >= enough, WITHIN_MS);
  };
  const wrong: Violation[] = [];
  try {
    await child.ready;
    const executors = { targetUrl: `${outside.url}/run`, claimedType: CLAIMED_TYPE, consumedType: CONSUMED_TYPE };
    const lives = Array.from({ length: USERS }, (_, n) => live(new User(tenant, recorder, random.fork()), `full-${n}`, executors));
    const lived = Promise.all(lives);
    lived.catch(() => {}); // told below
    await goesOn();
    for (const isKilled of [false, true]) {
      disk.fill();
      await eventually('a new command is refused', isRefused, WITHIN_MS);
      await eventually('it says that it is not ready', async () => (await readiness()) === 503, WITHIN_MS);
      if (isKilled) {
        await kill(child);
        child = start();
        const { code } = await Promise.race([child.ended, child.ready.then(() => ({ code: 0 }))]);
        if (code !== 0 && code !== CANNOT_START) wrong.push(`it ended with ${code} on the full disk: ${child.output()}`);
      }
      await new Promise((resolve) => setTimeout(resolve, FULL_MS));
      disk.makeRoom();
      if (child.process.exitCode !== null) child = start();
      await eventually('it says that it is ready', async () => (await readiness()) === 200, WITHIN_MS);
      await goesOn();
    }
    recorder.wholeSince = performance.now();
    recorder.isOver = true;
    await lived;
    const reader = new Reader([tenant]);
    const settled = await waitForAll(tasksToRun(recorder, reader), recorder.wholeSince);
    wrong.push(...settled.wrong, ...(await judgeHistories(recorder, reader)).wrong);
    say(
      `a full disk: ${recorder.acknowledged.length} commands answered, ${recorder.undecided.get('503')} times 503; ${settled.took.join('; ')}`,
    );
  } catch (error) {
    wrong.push(`a full disk: ${error instanceof Error ? error.message : error}; it said ${child.output().slice(-3_000)}`);
  } finally {
    recorder.isOver = true;
    await executor.stop();
    await kill(child);
    await outside.stop();
  }
  return wrong;
}
