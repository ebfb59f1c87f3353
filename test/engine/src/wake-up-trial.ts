import type { Command } from '@retrigger/domain/command.ts';
import { wakeCommand } from '@retrigger/domain/task/react.ts';
import { type Settled, WakeUps } from '@retrigger/engine/wake-ups.ts';
import type { Log, NewRecord } from '@retrigger/ports/log.ts';
import { silent } from '@retrigger/ports/observer.ts';
import type { Due } from '@retrigger/ports/snapshot-store.ts';
import { FakeStores, fakeSnapshots } from './fake-stores.ts';
import { ManualClock } from './manual-clock.ts';
import { encode, MORNING } from './owner.ts';

export const KEY = 'acme/deploy';

export type Sent = { at: number; wakeAt: number; silentSince: number | null };

/** The due times of partition 0. Times are milliseconds after the beginning. */
export class Trial {
  readonly clock = new ManualClock(MORNING);
  readonly sent: Sent[] = [];
  readonly wakeUps: WakeUps;
  /** What the store says is due. */
  due: () => Promise<Due[]> = () => Promise.resolve([]);
  isLogDown = false;

  constructor() {
    const append = async (_topic: string, records: NewRecord[]) => {
      if (this.isLogDown) throw new Error('no log');
      for (const { value } of records) this.#note(JSON.parse(Buffer.from(value).toString()));
    };
    this.wakeUps = new WakeUps({
      log: { append } as Partial<Log> as Log,
      snapshots: { ...fakeSnapshots(new FakeStores(), () => Promise.resolve()), due: () => this.due() },
      ...{ clock: this.clock, observer: silent, encode },
      wake: (key, wakeAt, silentSince, sentAt) => wakeCommand('acme', key.slice(5), wakeAt, silentSince, sentAt),
    });
  }

  #note(command: Command): void {
    if (command.type !== 'Wake') throw new Error(`${command.type} is sent`);
    const { wakeAt, silentSince } = command.body;
    this.sent.push({ at: this.now, wakeAt: wakeAt - MORNING, silentSince: silentSince === null ? null : silentSince - MORNING });
  }

  get now(): number {
    return this.clock.now() - MORNING;
  }

  get times(): number[] {
    return this.sent.map(({ at }) => at);
  }

  settle(wakeAt: number | null, more: Partial<Settled> = {}): void {
    const dueAt = wakeAt === null ? null : MORNING + wakeAt;
    this.wakeUps.settle({ key: KEY, partition: 0, wakeAt: dueAt, wakeKind: 'due', dueAt, landedAt: null, hasChanged: true, ...more });
  }

  /** Its Wake was decided, by the log's clock so much after the beginning, and nothing came of it. */
  landed(at: number, wakeAt: number, more: Partial<Settled> = {}): void {
    this.settle(wakeAt, { landedAt: MORNING + at, hasChanged: false, ...more });
  }
}

export async function owning(due: Due[] = []): Promise<Trial> {
  const trial = new Trial();
  trial.due = () => Promise.resolve(due);
  await trial.wakeUps.assigned([0]);
  await trial.wakeUps.refill();
  return trial;
}
