import { writeInSteps } from '@retrigger/engine/write-in-steps.ts';
import { MemoryAnswers } from '@retrigger/memory/memory-answers.ts';
import { MemoryDocumentStore } from '@retrigger/memory/memory-document-store.ts';
import { MemoryEventStore } from '@retrigger/memory/memory-event-store.ts';
import { MemoryKeyStore } from '@retrigger/memory/memory-key-store.ts';
import { MemoryLeases } from '@retrigger/memory/memory-leases.ts';
import { MemoryLimiter } from '@retrigger/memory/memory-limiter.ts';
import { MemoryLog } from '@retrigger/memory/memory-log.ts';
import { MemoryReceiptStore } from '@retrigger/memory/memory-receipt-store.ts';
import { MemorySnapshotStore } from '@retrigger/memory/memory-snapshot-store.ts';
import { systemClock } from '@retrigger/memory/system-clock.ts';
import { VirtualClock } from '@retrigger/memory/virtual-clock.ts';
import { unobserved } from '@retrigger/ports/reached.ts';
import { answersContract } from './answers-contract.ts';
import { clockContract } from './clock-contract.ts';
import { decisionStoreContract } from './decision-store-contract.ts';
import { documentStoreContract } from './document-store-contract.ts';
import { eventStoreContract } from './event-store-contract.ts';
import { keyStoreContract } from './key-store-contract.ts';
import { leasesContract } from './leases-contract.ts';
import { limiterContract } from './limiter-contract.ts';
import { logContract } from './log-contract.ts';
import { receiptStoreContract } from './receipt-store-contract.ts';
import { removableEventsContract } from './removable-events-contract.ts';
import { snapshotStoreContract } from './snapshot-store-contract.ts';

const timeoutMs = 20_000;
const close = async (): Promise<void> => {};

logContract('memory', {
  async open(topics) {
    const log = new MemoryLog(topics, systemClock, unobserved);
    return { log, close: () => log.close() };
  },
  timeoutMs,
  deviations: { volatile: 'it is for tests, and lives in the process' },
});

removableEventsContract('memory', { open: async () => ({ events: new MemoryEventStore(unobserved), close }), timeoutMs });
eventStoreContract('memory', { open: async () => ({ events: new MemoryEventStore(unobserved), close }), timeoutMs });
keyStoreContract('memory', { open: async () => ({ keys: new MemoryKeyStore(), close }), timeoutMs });
receiptStoreContract('memory', { open: async () => ({ receipts: new MemoryReceiptStore(unobserved), close }), timeoutMs });
documentStoreContract('memory', { open: async () => ({ documents: new MemoryDocumentStore(), close }), timeoutMs });
snapshotStoreContract('memory', { open: async () => ({ snapshots: new MemorySnapshotStore(unobserved), close }), timeoutMs });

decisionStoreContract('memory, in steps', {
  async open() {
    const events = new MemoryEventStore(unobserved);
    const receipts = new MemoryReceiptStore(unobserved);
    const snapshots = new MemorySnapshotStore(unobserved);
    return { events, receipts, snapshots, decisions: writeInSteps(events, receipts, snapshots, unobserved), close };
  },
  timeoutMs,
});

leasesContract('memory', {
  async open() {
    const leases = new MemoryLeases(systemClock);
    return { leases, other: leases, close: () => leases.close() };
  },
  timeoutMs,
});

answersContract('memory', {
  async open() {
    const answers = new MemoryAnswers(systemClock);
    return { door: answers, worker: answers, waiting: () => answers.waiting, close: () => answers.close() };
  },
  timeoutMs,
});

limiterContract('memory', {
  async open() {
    const limiter = new MemoryLimiter();
    return { limiter, other: limiter, close: () => limiter.close() };
  },
  timeoutMs,
});

clockContract('system', () => ({
  clock: systemClock,
  pass: (ms) => new Promise((resolve) => systemClock.timer(Date.now() + ms, resolve)),
}));

clockContract('virtual', () => {
  const clock = new VirtualClock(1_772_000_000_000);
  return { clock, pass: (ms) => clock.advance(ms) };
});
