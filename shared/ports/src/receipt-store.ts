import type { Position } from "@retrigger/domain/event.ts";
import type { Fingerprint } from "@retrigger/domain/idempotency.ts";
import type { Outcome } from "@retrigger/domain/refusal.ts";

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

/**
 * R1: the first receipt of a commandId stays; later ones change nothing and are no error.
 * R2: `put` resolves when durable.
 */
export interface ReceiptStore {
  put(receipts: Receipt[]): Promise<void>;
  /** Those that exist, by commandId. */
  load(commandIds: string[]): Promise<Map<string, Receipt>>;
  /** Removes the partition's receipts with a position before `before` (epoch ms); returns how many. */
  sweep(partition: number, before: number): Promise<number>;
}
