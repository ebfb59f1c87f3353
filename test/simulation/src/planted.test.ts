import type { BulkPart, BulkState } from '@retrigger/domain/bulk/state.ts';
import type { Command } from '@retrigger/domain/command.ts';
import { domainDecider } from '@retrigger/domain/domain-decider.ts';
import type { TaskState } from '@retrigger/domain/task/state.ts';
import type { AnyDecider } from '@retrigger/engine/aggregate.ts';
import type { WorkerPorts } from '@retrigger/engine/apply-batch.ts';
import type { RecordHandler } from '@retrigger/ports/log.ts';
import { describe, expect, test } from 'vitest';
import { type Planted, simulate } from './simulate.ts';

const MOST_SEEDS = 150;
const decider = domainDecider as AnyDecider;

/** Another handler between the log and the engine. */
const between = (ports: WorkerPorts, wrap: (handler: RecordHandler) => RecordHandler): WorkerPorts => ({
  ...ports,
  log: { ...ports.log, consume: (topic, group, handler) => ports.log.consume(topic, group, wrap(handler)) },
});

/** Each breaks one rule of the engine, the domain or a port; some seed must notice. */
const BUGS: { [bug: string]: Planted } = {
  'the offset moves before anything is stored (N2)': {
    wrap: (ports) =>
      between(ports, (handler) => ({
        ...handler,
        async batch(partition, records, commit) {
          await commit((records.at(-1)?.offset ?? 0) + 1);
          await handler.batch(partition, records, () => Promise.resolve(true));
        },
      })),
  },
  'a running task is triggered again (T4)': {
    decider: {
      ...decider,
      decide(state, command, head, at, evidence) {
        const task = state as TaskState | undefined;
        const isAgain = command.type === 'TriggerTask' && task?.status === 'Running';
        return decider.decide(isAgain ? { ...task, status: 'Scheduled' } : state, command, head, at, evidence);
      },
    },
  },
  'what was claimed is kept under the try alone (B8)': {
    decider: { ...decider, commandsOf: (event) => (event.eventType === 'TaskStarted' ? [event.commandId] : decider.commandsOf(event)) },
  },
  'a claim does not look what was given by its wish (B8)': {
    wrap: (ports) => ({
      ...ports,
      receipts: {
        ...ports.receipts,
        load: (names) => ports.receipts.load(names.filter((name) => !isWish(name))),
      },
    }),
  },
  'somebody else reports what was claimed (T10)': {
    decider: {
      ...decider,
      decide(state, command, head, at, evidence) {
        const { execution, ...task } = (state ?? {}) as Partial<TaskState>;
        const { executor: _, ...nobodys } = execution ?? {};
        const isReport = command.type === 'CompleteExecution' && execution;
        return decider.decide(isReport ? { ...task, execution: nobodys } : state, command, head, at, evidence);
      },
    },
  },
  'events are told before they are stored (N1)': {
    wrap: (ports) => ({
      ...ports,
      decisions: {
        async write(decided) {
          if (decided.events.length > 0)
            await ports.log.append(
              'retrigger.events',
              decided.events.map(({ key, json }) => ({ key, value: Buffer.from(json), headers: {} })),
            );
          return ports.decisions.write(decided);
        },
      },
    }),
  },
  'snapshots are saved before their receipts (W1)': {
    wrap: (ports) => ({
      ...ports,
      decisions: {
        async write(decided) {
          await ports.snapshots.save(decided.snapshots);
          return ports.decisions.write(decided);
        },
      },
    }),
  },
  'nobody looks who waits for an ended task (G1)': {
    decider: { ...decider, announce: () => undefined, lookup: (state) => noLooks(decider.lookup(state)) },
  },
  'new dependencies are confirmed unseen (T7)': {
    decider: {
      ...decider,
      decide: (state, command, head, at, evidence) =>
        decider.decide(state, command, head, at, command.type === 'ConfirmDependencies' ? blind(evidence) : evidence),
    },
  },
  'a Wake fires what is not due yet (U1)': {
    decider: {
      ...decider,
      decide: (state, command, head, at, evidence) =>
        decider.decide(state, command, head, command.type === 'Wake' ? at + 20_000 : at, evidence),
    },
  },
  'a bulk commits although a task refused (A2)': {
    decider: {
      ...decider,
      decide: (state, command, head, at, evidence) =>
        decider.decide(
          state,
          command.type === 'GatherResults'
            ? {
                ...command,
                body: { results: command.body.results.map((one) => (one.kind === 'refused' ? { ...one, kind: 'reserved' } : one)) },
              }
            : command,
          head,
          at,
          evidence,
        ),
    },
  },
  'a bulk answers before all have committed (A3)': {
    decider: {
      ...decider,
      decide: (state, command, head, at, evidence) =>
        command.type === 'GatherResults' && (state as BulkState | undefined)?.status === 'Committing'
          ? decider.decide({ ...(state as BulkState), parts: (state as BulkState).parts.map(committed) }, command, head, at, evidence)
          : decider.decide(state, command, head, at, evidence),
    },
  },
  'a bulk’s end answers nobody (A6)': { decider: { ...decider, concludes: () => undefined } },
  'a reserved task goes on by itself (R2)': {
    decider: {
      ...decider,
      decide(state, command, head, at, evidence) {
        const isOwn = ['Wake', 'Check', 'TriggerTask', 'RescheduleTask'].includes(command.type) && isReserved(state);
        return decider.decide(isOwn ? { ...(state as TaskState), reservation: null } : state, command, head, at, evidence);
      },
    },
  },
  'of two bulks the younger waits (R3)': {
    decider: {
      ...decider,
      decide(state, command, head, at, evidence) {
        const held = (state as TaskState | undefined)?.reservation;
        if (command.type !== 'ReserveTask' || held == null) return decider.decide(state, command, head, at, evidence);
        const turned = { ...(state as TaskState), reservation: { ...held, startedAt: 2 * command.body.startedAt - held.startedAt } };
        return decider.decide(turned, command, head, at, evidence);
      },
    },
  },
  'a reserve that comes twice counts twice (R4)': {
    wrap: (ports) => ({
      ...ports,
      decode(record) {
        const decoded = ports.decode(record);
        if (decoded.kind === 'command' && decoded.command.type === 'ReserveTask') delete decoded.command.fingerprint;
        return decoded;
      },
    }),
  },
  'receipts are lost': {
    wrap: (ports) => ({ ...ports, receipts: { ...ports.receipts, load: () => Promise.resolve(new Map()) } }),
  },
  'a new owner goes on with what it remembers from before (C1)': {
    wrap: (ports) => between(ports, (handler) => ({ ...handler, assigned: () => Promise.resolve(), revoked: () => Promise.resolve() })),
  },
};

/** The names that the simulated executors claim by; ids of commands have no dash in front of an execution's. */
const isWish = (name: string): boolean => name.startsWith('runner-') || name.startsWith('rival-');

const isReserved = (state: unknown): boolean => (state as TaskState | undefined)?.reservation != null;

/** As if it had said so already. */
const committed = (part: BulkPart): BulkPart => (part.at === 'settling' ? { ...part, at: 'accepted' } : part);

const noLooks = (lookup: ReturnType<AnyDecider['lookup']>) => (lookup.wakeKind === 'check' ? { ...lookup, wakeAt: null } : lookup);

/** Everybody else has no edges. */
const blind = (evidence: ReadonlyMap<string, unknown>): ReadonlyMap<string, unknown> =>
  new Map(
    [...evidence].map(([key, state]) => [
      key,
      state && typeof state === 'object' && 'dependencies' in state
        ? { ...state, dependencies: [], proposal: null, schedule: null }
        : state,
    ]),
  );

/** The first seed that notices. */
async function noticedBy(planted: Planted): Promise<number | undefined> {
  for (let seed = 1; seed <= MOST_SEEDS; seed++) if ((await simulate(seed, planted)).findings.length > 0) return seed;
  return undefined;
}

describe('the simulation notices that', () => {
  test.each(Object.entries(BUGS))('%s', async (_, planted) => {
    expect(await noticedBy(planted)).toBeDefined();
  });
});

/** So that a type of command that nobody ever sends does not go unnoticed. */
test('all commands of the domain come up', async () => {
  const seen = new Set<Command['type']>();
  const watching: AnyDecider = {
    ...decider,
    decide(state, command, head, at, evidence) {
      seen.add(command.type);
      return decider.decide(state, command, head, at, evidence);
    },
  };
  for (let seed = 1; seed <= 40; seed++) await simulate(seed, { decider: watching });
  expect([...seen].sort()).toEqual([
    'AskBulk',
    'BulkReschedule',
    'BulkTrigger',
    'CancelTask',
    'ChangeTask',
    'Check',
    'ClaimExecution',
    'CommitTask',
    'CompleteExecution',
    'ConfirmDependencies',
    'ConfirmReservation',
    'CreateTask',
    'FailExecution',
    'GatherResults',
    'HeartbeatExecution',
    'ReleaseTask',
    'RescheduleTask',
    'ReserveTask',
    'ResetTask',
    'RetryReservation',
    'StartExecution',
    'TriggerTask',
    'Wake',
  ]);
});
