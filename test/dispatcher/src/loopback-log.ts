import type { CommitOffset, Log, LogConsumer, LogRecord, NewRecord, RecordHandler } from '@retrigger/ports/log.ts';

/** The records and offsets that outlive any process. One partition per topic. */
export class LogStorage {
  readonly topics = new Map<string, LogRecord[]>();
  readonly offsets = new Map<string, number>();
  readonly #waiting = new Set<() => void>();

  records(topic: string): LogRecord[] {
    const found = this.topics.get(topic) ?? [];
    this.topics.set(topic, found);
    return found;
  }

  add(topic: string, added: NewRecord[]): void {
    const records = this.records(topic);
    for (const record of added) records.push({ ...record, topic, partition: 0, offset: records.length, at: Date.now() });
    this.wake();
  }

  wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }

  change(): Promise<void> {
    return new Promise((resolve) => this.#waiting.add(resolve));
  }
}

/** How a log misbehaves. */
export type Trouble = { append?: (records: NewRecord[]) => Error | undefined; commit?: () => Error | undefined };

const never = new Promise<never>(() => {});

/** One process's connection to the storage. After `kill` nothing that the process still does has any effect, as after SIGKILL. */
export class LoopbackLog implements Log {
  readonly #storage: LogStorage;
  readonly #trouble: Trouble;
  isDead = false;
  /** Offsets that were asked for, also by a member that owns the partition no more. */
  readonly commits: number[] = [];
  /** Takes the partition away, as a rebalance does. */
  revoke: () => Promise<void> = async () => {};

  constructor(storage: LogStorage, trouble: Trouble = {}) {
    this.#storage = storage;
    this.#trouble = trouble;
  }

  kill(): void {
    this.isDead = true;
    this.#storage.wake();
  }

  async append(topic: string, records: NewRecord[]): Promise<void> {
    if (this.isDead) return never;
    const error = this.#trouble.append?.(records);
    if (error !== undefined) throw error;
    this.#storage.add(topic, records);
  }

  partitionOf = () => 0;
  partitionCount = () => 1;
  lag = async () => 0;
  progress = async () => [];
  close = async () => {};

  async consume(topic: string, group: string, handler: RecordHandler): Promise<LogConsumer> {
    const name = `${group} ${topic}`;
    let isOwner = true;
    const commit: CommitOffset = async (next) => {
      if (this.isDead) return never;
      const error = this.#trouble.commit?.();
      if (error !== undefined) throw error;
      this.commits.push(next);
      if (!isOwner) return false;
      this.#storage.offsets.set(name, Math.max(next, this.#storage.offsets.get(name) ?? 0));
      return true;
    };
    await handler.assigned([0]);
    let isRunning = true;
    this.revoke = async () => {
      isRunning = false;
      isOwner = false;
      await handler.revoked([0]);
    };
    let next = this.#storage.offsets.get(name) ?? 0;
    const loop = (async () => {
      while (isRunning && !this.isDead) {
        const records = this.#storage.records(topic).slice(next, next + 100);
        if (records.length === 0) {
          await this.#storage.change();
          continue;
        }
        try {
          await handler.batch(0, records, commit);
          next += records.length;
        } catch {
          await new Promise((resolve) => setTimeout(resolve, 5)); // the same records again, after a pause
        }
      }
    })();
    return {
      stop: async () => {
        isRunning = false;
        this.#storage.wake();
        if (!this.isDead) await loop;
        await handler.revoked([0]);
        isOwner = false;
      },
    };
  }
}
