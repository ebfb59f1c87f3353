import type { Command } from '@retrigger/domain/command.ts';
import type { LimitsFor } from '@retrigger/engine/command-limits.ts';
import type { Privacy } from '@retrigger/engine/privacy.ts';
import type { WorkLag } from '@retrigger/engine/work-lag.ts';
import type { Answers } from '@retrigger/ports/answers.ts';
import type { Clock } from '@retrigger/ports/clock.ts';
import type { DocumentStore } from '@retrigger/ports/document-store.ts';
import type { EventStore } from '@retrigger/ports/event-store.ts';
import type { Leases } from '@retrigger/ports/leases.ts';
import type { Limiter } from '@retrigger/ports/limiter.ts';
import type { Log, NewRecord } from '@retrigger/ports/log.ts';
import type { Observer } from '@retrigger/ports/observer.ts';
import type { ReceiptStore } from '@retrigger/ports/receipt-store.ts';
import type { Secrets } from '@retrigger/ports/secrets.ts';
import type { SnapshotStore } from '@retrigger/ports/snapshot-store.ts';
import type { GatewayConfig } from './config.ts';
import type { Credentials } from './credentials.ts';

/** The state of each thing that the process needs, by its name. */
export type Readiness = { [dependency: string]: 'up' | 'down' };

export type GatewayDeps = {
  log: Pick<Log, 'append' | 'partitionOf' | 'partitionCount' | 'stuckMs'>;
  /** How far the workers are behind; whoever composes keeps it up to date. */
  lag: Pick<WorkLag, 'ageMs' | 'oldestMs'>;
  answers: Answers;
  receipts: Pick<ReceiptStore, 'load' | 'put'>;
  events: Omit<EventStore, 'append'>;
  snapshots: Pick<SnapshotStore, 'load' | 'list' | 'waiting' | 'claimable' | 'marks'>;
  documents: DocumentStore;
  limiter: Limiter;
  leases: Leases;
  /** Asked for every command. */
  limitsFor: LimitsFor;
  /** A tenant’s own limits were changed here, so what is remembered of them no longer holds. */
  limitsChanged?(tenantId: string): void;
  secrets: Secrets;
  privacy: Privacy;
  credentials: Credentials;
  clock: Clock;
  observer: Observer;
  encode(command: Command): NewRecord;
  /** An id that nobody has had before, of the alphabet of ids, at most 64 characters. */
  freshId(): string;
  /** Metrics in Prometheus' text format. */
  metrics(): Promise<string>;
  readiness(): Promise<Readiness>;
  config: GatewayConfig;
};
