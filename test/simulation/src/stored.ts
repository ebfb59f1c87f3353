import type { StoredEvent } from '@retrigger/domain/event.ts';
import { RECEIPT_LIFE_MS, type Receipt } from '@retrigger/ports/receipt-store.ts';
import type { Due, Mark, Snapshot } from '@retrigger/ports/snapshot-store.ts';

/** A saved snapshot; its state as text, so that nobody shares it. */
export type Row = Omit<Snapshot, 'state'> & { text: string };

/** What the store's machines hold: single documents, each written whole or not at all. */
export class Stored {
  readonly events = new Map<string, StoredEvent[]>();
  readonly receipts = new Map<string, Receipt>();
  readonly rows = new Map<string, Row>();
  readonly marks = new Map<number, Mark>();
  /** All states that anybody could ever see, by key, with the step from which on. */
  readonly seen = new Map<string, { step: number; text: string }[]>();
  /** The events as they were stored. */
  readonly texts = new Set<string>();
  /** The step at which each event was stored, by key and sequence. */
  readonly storedAt = new Map<string, number>();
  /** The step at which each receipt was. */
  readonly keptAt = new Map<string, number>();

  /** E1. Returns whether the name was free. */
  insert(stored: StoredEvent, step: number): boolean {
    const { key, event } = stored;
    const stream = this.events.get(key) ?? [];
    this.events.set(key, stream);
    if (stream[event.sequence - 1] !== undefined) return false;
    stream[event.sequence - 1] = stored;
    this.storedAt.set(`${key}/${event.sequence}`, step);
    this.texts.add(stored.json);
    return true;
  }

  /** R1. */
  keep(receipt: Receipt, step: number): void {
    const { commandId, position } = receipt;
    const first = this.receipts.get(commandId);
    if (first !== undefined && position.at - first.position.at < RECEIPT_LIFE_MS) return;
    this.receipts.set(commandId, structuredClone(receipt));
    this.keptAt.set(commandId, step);
  }

  /** S1. */
  save({ state, ...row }: Snapshot, step: number): void {
    const before = this.rows.get(row.key);
    if (before !== undefined && before.head.sequence >= row.head.sequence) return;
    const text = JSON.stringify(state);
    this.rows.set(row.key, { ...row, text });
    const seen = this.seen.get(row.key);
    if (seen === undefined) this.seen.set(row.key, [{ step, text }]);
    else seen.push({ step, text });
  }

  due(partition: number, before: number, after: Due | null, limit: number): Due[] {
    const due: Due[] = [];
    for (const row of this.rows.values()) {
      const { key, wakeAt, wakeKind } = row;
      if (row.partition !== partition || wakeAt === null || wakeAt >= before) continue;
      if (after !== null && (wakeAt < after.wakeAt || (wakeAt === after.wakeAt && key <= after.key))) continue;
      due.push({ key, wakeAt, wakeKind });
    }
    return due.sort((a, b) => a.wakeAt - b.wakeAt || (a.key < b.key ? -1 : 1)).slice(0, limit);
  }

  waiting(tenantId: string, taskId: string, after: string | null, limit: number): string[] {
    const waiting: string[] = [];
    for (const row of this.rows.values())
      if (row.tenantId === tenantId && row.waitsFor.includes(taskId) && (after === null || row.taskId > after)) waiting.push(row.taskId);
    return waiting.sort().slice(0, limit);
  }
}
