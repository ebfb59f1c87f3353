import { type Reached, unobserved } from '@retrigger/ports/reached.ts';
import { RECEIPT_LIFE_MS, type Receipt, type ReceiptStore } from '@retrigger/ports/receipt-store.ts';
import type { Collection } from 'mongodb';
import { putGuarded } from './guarded-writes.ts';
import { foundInOneTurn } from './in-one-turn.ts';
import type { MongoConnection } from './mongo-client.ts';
import { partsOf } from './write-parts.ts';

/** `json` is the receipt: the answers in it hold what users wrote, whose field names need not suit BSON. `partition` and `at` are its position's, for the sweep. */
export type ReceiptDocument = { _id: string; partition: number; at: number; json: string };

/** So many are removed in one message: one that took all could last longer than a message may. */
const SWEPT_AT_ONCE = 1_000;

export class MongoReceiptStore implements ReceiptStore {
  readonly #mongo: MongoConnection;
  readonly #receipts: Collection<ReceiptDocument>;
  readonly #reached: Reached;

  constructor(mongo: MongoConnection, reached: Reached = unobserved) {
    this.#mongo = mongo;
    this.#receipts = mongo.db.collection('receipts');
    this.#reached = reached;
  }

  async put(receipts: Receipt[]): Promise<void> {
    const writes = receipts.map((receipt) => {
      const { partition, at } = receipt.position;
      const document = { _id: receipt.commandId, partition, at, json: JSON.stringify(receipt) };
      return { document, replaces: { at: { $lte: at - RECEIPT_LIFE_MS } } }; // R1
    });
    for (const [index, part] of partsOf(writes, this.#reached).entries()) {
      if (index > 0) this.#reached('within-receipts');
      await putGuarded(this.#mongo, this.#receipts, part); // R2 by the connection's write concern
    }
  }

  load = foundInOneTurn<Receipt>(async (commandIds) => {
    const options = { projection: { json: 1 }, batchSize: commandIds.length + 1 };
    const found = await this.#mongo.retry(() => this.#receipts.find({ _id: { $in: commandIds } }, options).toArray());
    return new Map(found.map(({ _id, json }) => [_id, JSON.parse(json) as Receipt]));
  });

  async sweep(partition: number, before: number): Promise<number> {
    const past = { partition, at: { $lt: before } };
    for (let swept = 0; ; ) {
      const found = await this.#mongo.retry(() =>
        this.#receipts.find(past, { projection: { _id: 1 }, limit: SWEPT_AT_ONCE, batchSize: SWEPT_AT_ONCE }).toArray(),
      );
      if (found.length === 0) return swept;
      // `past` again: in between, one may have been replaced by a younger.
      const ids = found.map(({ _id }) => _id);
      swept += await this.#mongo.retry(() => this.#receipts.deleteMany({ ...past, _id: { $in: ids } }).then((done) => done.deletedCount));
      if (found.length < SWEPT_AT_ONCE) return swept;
    }
  }
}
