import { RECEIPT_LIFE_MS, type Receipt, type ReceiptStore } from '@retrigger/ports/receipt-store.ts';
import { describe, expect, onTestFinished, test } from 'vitest';
import { freePartition, unique } from './eventually.ts';
import { sampleEvent, samplePosition, sampleReceipt } from './samples.ts';

export type ReceiptStoreAdapter = {
  open(): Promise<{ receipts: ReceiptStore; close(): Promise<void> }>;
  timeoutMs: number;
};

/** The receipt-store port's definition: R1, R2, sweeping. */
export function receiptStoreContract(name: string, adapter: ReceiptStoreAdapter): void {
  const open = async (): Promise<ReceiptStore> => {
    const { receipts, close } = await adapter.open();
    onTestFinished(close);
    return receipts;
  };
  const receipt = (commandId: string, more: Partial<Receipt> = {}): Receipt =>
    sampleReceipt(sampleEvent({ tenantId: 'tenant', taskId: 'task', sequence: 1 }), { commandId, ...more });

  describe(`${name} receipt store`, { timeout: adapter.timeoutMs * 4 }, () => {
    test('receipts come out as they went in; those that do not exist are left out (R2)', async () => {
      const receipts = await open();
      const [a, b, c] = [unique('command'), unique('command'), unique('command')];
      const given = [
        receipt(a),
        receipt(b, {
          sequence: null,
          fingerprint: {},
          outcome: { kind: 'refused', refusal: { code: 'task_not_found', detail: 'no such task', more: { fields: ['a'] } } },
        }),
      ];
      await receipts.put(given);
      expect(await receipts.load([a, b, c])).toEqual(new Map(given.map((one) => [one.commandId, one])));
      expect(await receipts.load([])).toEqual(new Map());
    });

    test('the first receipt of a commandId stays, also inside one put; a later one is no error (R1)', async () => {
      const receipts = await open();
      const id = unique('command');
      const first = receipt(id, { type: 'First' });
      await receipts.put([first, receipt(id, { type: 'Second' })]);
      await receipts.put([receipt(id, { type: 'Third', position: { ...first.position, at: first.position.at + RECEIPT_LIFE_MS - 1 } })]);
      expect((await receipts.load([id])).get(id)).toEqual(first);
    });

    test('one whose position is 24 h after the stored one takes its place (R1)', async () => {
      const receipts = await open();
      const id = unique('command');
      const first = receipt(id, { type: 'First' });
      const later = receipt(id, { type: 'Later', position: { ...first.position, at: first.position.at + RECEIPT_LIFE_MS } });
      await receipts.put([first]);
      await receipts.put([later]);
      expect((await receipts.load([id])).get(id)).toEqual(later);
      await receipts.put([first]);
      expect((await receipts.load([id])).get(id)).toEqual(later);
    });

    test('of many that put one commandId at once, one stays (R1)', async () => {
      const receipts = await open();
      const id = unique('command');
      await Promise.all(Array.from({ length: 10 }, (_, i) => receipts.put([receipt(id, { type: `Type-${i}` })])));
      const stays = (await receipts.load([id])).get(id);
      await receipts.put([receipt(id, { type: 'Late' })]);
      expect((await receipts.load([id])).get(id)).toEqual(stays);
    });

    test('a sweep removes the old ones of its partition only, and says how many', async () => {
      const receipts = await open();
      const partition = freePartition();
      const ids = Array.from({ length: 5 }, () => unique('command'));
      const [old = '', edge = '', fresh = '', other = '', oldToo = ''] = ids;
      const at = (ms: number, its = partition) => ({ position: { ...samplePosition(1), partition: its, at: ms } });
      await receipts.put([
        receipt(old, at(1_000)),
        receipt(oldToo, at(1_999)),
        receipt(edge, at(2_000)),
        receipt(fresh, at(3_000)),
        receipt(other, at(1_000, freePartition())),
      ]);
      expect(await receipts.sweep(partition, 2_000)).toBe(2);
      expect(new Set((await receipts.load(ids)).keys())).toEqual(new Set([edge, fresh, other]));
      expect(await receipts.sweep(partition, 2_000)).toBe(0);
    });
  });
}
