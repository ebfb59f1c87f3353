import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CrashPoint } from '@retrigger/ports/reached.ts';
import { API_KEY, freshInstallation, type InstallationSettings } from '@retrigger/test-cluster/installation.ts';
import { type Child, kill, startChild } from '@retrigger/test-faults/child.ts';
import { Client } from '@retrigger/test-faults/client.ts';

const WORKER_WITH_A_PLACE = join(import.meta.dirname, 'worker-with-a-place.ts');
const HAS_JOINED = /has joined/;

/** What a worker does to itself at the nth time that a batch comes to a place. */
export type Place = { point: CrashPoint; nth: number; signal: 'SIGKILL' | 'SIGSTOP' };

/** A worker process; `batches` counts what it has done. */
export type Worker = Child & { batches(): number };

/** Processes of one installation on the running cluster. */
export class Installation {
  readonly settings: InstallationSettings;
  readonly children: Child[] = [];

  static async fresh(more: { [variable: string]: string } = {}): Promise<Installation> {
    return new Installation({ ...(await freshInstallation()), ...more });
  }

  constructor(settings: InstallationSettings) {
    this.settings = {
      HOST: '127.0.0.1',
      PORT: '0',
      RETRIGGER_ALLOW_PRIVATE_TARGETS: 'true',
      RETRIGGER_LOG_LEVEL: 'warn',
      RETRIGGER_LIMIT_USER_PER_HOUR: '0',
      RETRIGGER_LIMIT_TASK_PER_HOUR: '0',
      RETRIGGER_LIMIT_SYSTEM_PER_MINUTE: '0',
      ...settings,
    };
  }

  /** Starts a service as it is started in production. */
  start(service: 'gateway' | 'worker' | 'dispatcher' | 'notifier', more: { [variable: string]: string } = {}): Child {
    const entry = fileURLToPath(import.meta.resolve(`@retrigger/${service}/main.ts`));
    return this.#started(
      service === 'gateway'
        ? startChild(entry, [], { ...this.settings, ...more })
        : startChild(entry, [], { ...this.settings, ...more }, HAS_JOINED),
    );
  }

  startWorker(place?: Place): Worker {
    const args = place === undefined ? [] : [place.point, String(place.nth), place.signal];
    const child = this.#started(startChild(WORKER_WITH_A_PLACE, args, this.settings, HAS_JOINED));
    return { ...child, batches: () => child.output().split('a batch is done').length - 1 };
  }

  /** Starts a gateway; resolves with a caller of it. */
  async door(): Promise<Client> {
    return new Client(await this.start('gateway').ready, API_KEY);
  }

  /** The last that each process said, for whoever looks for a fault. */
  said(): string {
    return this.children
      .map(({ process, output }) => `--- ${process.spawnargs.at(-1)}\n${output().replaceAll('a batch is done\n', '').slice(-4_000)}\n`)
      .join('');
  }

  /** Those that have ended, with what they said last. */
  ended(): string[] {
    return this.children
      .filter(({ process }) => process.exitCode !== null || process.signalCode !== null)
      .map(
        ({ process, output }) =>
          `${process.spawnargs.at(-1)} ended with ${process.exitCode ?? process.signalCode}: ${output().slice(-1_000)}`,
      );
  }

  async end(): Promise<void> {
    await Promise.all(this.children.map(kill));
  }

  #started(child: Child): Child {
    this.children.push(child);
    return child;
  }
}
