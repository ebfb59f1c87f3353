import type { Command } from '@retrigger/domain/command.ts';
import type { Fingerprint } from '@retrigger/domain/idempotency.ts';
import type { Leases } from '@retrigger/ports/leases.ts';
import type { Observer } from '@retrigger/ports/observer.ts';
import { isSame } from './replay.ts';

/** Undecided for so long, a command is one that the doors shed by now (G6). */
const LEASE_MS = 600_000;

type Asked = Command & { fingerprint: Fingerprint };

const leaseOf = ({ commandId, fingerprint }: Asked): [name: string, holder: string] => [
  `command:${commandId}`,
  JSON.stringify(fingerprint),
];

/**
 * Requests under one id that ask for different things, at different doors. Receipts tell what is decided; leases tell what is under way: each is held for a
 * fingerprint from before its command is appended until it is decided (G9).
 * While the leases can't be asked everybody gets on: then receipts alone tell, and two doors at one instant do not see each other.
 */
export class Rivals {
  readonly #leases: Pick<Leases, 'take' | 'end'> | undefined;
  readonly #observer: Observer;

  /** Without leases there is no other door, and nothing to be told. */
  constructor({ leases, observer }: { leases?: Pick<Leases, 'take' | 'end'>; observer: Observer }) {
    this.#leases = leases;
    this.#observer = observer;
  }

  /** What somebody was asked for first under this id, where that is not the same. Undefined: go on. */
  async first(asked: Asked): Promise<Fingerprint | undefined> {
    if (this.#leases === undefined) return undefined;
    try {
      const first: Fingerprint = JSON.parse(await this.#leases.take(...leaseOf(asked), LEASE_MS));
      return isSame(first, asked.fingerprint) ? undefined : first;
    } catch (error) {
      this.#observer.log('warn', 'the lease of a command could not be taken', { error: String(error) });
      return undefined;
    }
  }

  /** It is decided: what is kept of it is in its receipt. A lease that can't be ended ends by itself. */
  async decided(asked: Asked): Promise<void> {
    await this.#leases?.end(...leaseOf(asked)).catch(() => {});
  }
}
