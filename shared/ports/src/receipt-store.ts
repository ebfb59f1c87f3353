import type { Position } from '@retrigger/domain/event.ts';
import type { Fingerprint } from '@retrigger/domain/idempotency.ts';
import type { Outcome } from '@retrigger/domain/refusal.ts';

/** For so long, by the log's clock, the same commandId is the same command. */
export const RECEIPT_LIFE_MS = 24 * 3_600_000;

/** What a command from a door led to: a cache of its event, kept 24 h by the log's clock. */
export type Receipt = {
  commandId: string;
  tenantId: string;
  /** Who sent it; only they may ask for its outcome. */
  actorId: string;
  key: string;
  type: string;
  /** The event it led to; null when it left none (no such task, a report taken before). */
  sequence: number | null;
  fingerprint: Fingerprint;
  outcome: Outcome;
  position: Position;
};

/** Where the outcome of a command is found whose repeats are decided anew (a 403): nobody takes it for a receipt of the command, and the first one stays. */
export const unboundReceiptId = (commandId: string): string => `${commandId}/unbound`;

/**
 * R1: the first receipt of a commandId stays; later ones change nothing and are no error, except that one whose position is 24 h
 * or more (`RECEIPT_LIFE_MS`) after the stored one's takes its place.
 * R2: `put` resolves when durable.
 */
export interface ReceiptStore {
  put(receipts: Receipt[]): Promise<void>;
  /** Those that exist, by commandId. */
  load(commandIds: string[]): Promise<Map<string, Receipt>>;
  /** Removes the partition's receipts with a position before `before` (epoch ms); returns how many. */
  sweep(partition: number, before: number): Promise<number>;
}
