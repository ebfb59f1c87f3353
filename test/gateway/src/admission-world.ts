import { encodeWork } from '@retrigger/contract/work-record.ts';
import { fingerprint } from '@retrigger/domain/idempotency.ts';
import type { Role } from '@retrigger/domain/permissions.ts';
import type { Outcome } from '@retrigger/domain/refusal.ts';
import { type AdmissionPorts, CommandAdmission, type Submission } from '@retrigger/engine/admit-command.ts';
import { MemoryLeases } from '@retrigger/memory/memory-leases.ts';
import { silent } from '@retrigger/ports/observer.ts';
import type { Receipt } from '@retrigger/ports/receipt-store.ts';
import type { Snapshot } from '@retrigger/ports/snapshot-store.ts';
import { answerOne } from './door.ts';
import { FakeAnswers, FakeClock, FakeLimiter } from './fakes.ts';

export const ACCEPTED: Outcome = { kind: 'accepted', answer: { ok: true } };
export const LIMITS = { userPerHour: 3, taskPerHour: 0, systemPerMinute: 100, tenantPerMinute: 0 };

/** A valid submission; `more` says what is different about it. */
export function submission(
  commandId: string,
  more: Partial<Submission> & { body?: { triggerReason?: string }; roles?: Role[] } = {},
): Submission {
  const { body = {}, roles = ['admin'], ...rest } = more;
  return {
    command: {
      commandId,
      tenantId: 'default',
      taskId: 't',
      actor: { id: 'ann', type: 'user' },
      roles,
      correlationId: 'r',
      type: 'TriggerTask',
      body,
      fingerprint: fingerprint(body),
    },
    isRepeatable: true,
    cost: 1,
    waitMs: 2_000,
    ...rest,
  };
}

/** An admission over ports that a test holds in its hands. `append` is what the log does with a command: by default it is decided at once. */
export function startAdmission() {
  const clock = new FakeClock();
  const answers = new FakeAnswers(clock);
  const limiter = new FakeLimiter();
  const leases = new MemoryLeases(clock);
  const receipts = new Map<string, Receipt>();
  const world = {
    ...{ clock, answers, limiter, leases, receipts },
    snapshots: new Map<string, Snapshot>(),
    looks: 0,
    lagMs: 0,
    stuckMs: 0,
    limits: { ...LIMITS },
    appended: [] as Submission['command'][],
    append: async (command: Submission['command']): Promise<void> => world.decide(command),
    decide: (command: Submission['command'], outcome = ACCEPTED) => answerOne(command, () => outcome, { receipts, answers, clock }),
    userCharged: () => limiter.used.get('user:default/ann') ?? 0,
  };
  const ports: AdmissionPorts = {
    lag: { ageMs: () => world.lagMs, oldestMs: () => world.lagMs },
    log: {
      partitionOf: (_topic, key) => (key.endsWith('/elsewhere') ? 1 : 0),
      stuckMs: (_topic, partition) => (partition === 0 ? world.stuckMs : 0),
      async append(_topic, [record]) {
        const command = JSON.parse(Buffer.from(record?.value ?? []).toString());
        world.appended.push(command);
        await world.append(command);
      },
    },
    answers,
    receipts: {
      async load(ids) {
        world.looks++;
        return new Map(ids.flatMap((id) => (receipts.has(id) ? [[id, receipts.get(id) as Receipt] as const] : [])));
      },
    },
    snapshots: {
      load: async (keys) =>
        new Map(keys.flatMap((key) => (world.snapshots.has(key) ? [[key, world.snapshots.get(key) as Snapshot] as const] : []))),
    },
    limiter,
    clock,
    observer: silent,
    encode: encodeWork,
    seal: async (command) => command,
  };
  return Object.assign(world, {
    ports,
    admission: new CommandAdmission(ports, { limitsFor: () => world.limits, maxInFlight: 2, maxUndecided: 0 }),
  });
}
