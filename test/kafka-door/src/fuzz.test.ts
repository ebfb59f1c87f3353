import { avroReader } from '@retrigger/contract/avro-reader.ts';
import { commandSchema } from '@retrigger/contract/avro-schemas.ts';
import type { AvroCommand } from '@retrigger/contract/schema-registry.ts';
import { COMMANDS } from '@retrigger/gateway/command-table.ts';
import { kafkaCommandId, readSentCommand, workOfSent } from '@retrigger/gateway/kafka-command.ts';
import { whoSigned } from '@retrigger/gateway/kafka-signature.ts';
import { TOPICS } from '@retrigger/ports/log.ts';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { secretOf, signed } from './signed-record.ts';
import { World } from './world.ts';

const readAvro = avroReader<AvroCommand>(commandSchema.type, async (id) => (id === 7 ? commandSchema.type : undefined));
const caller = { tenantId: 'acme', userId: 'ann', roles: [] };
const signer = async (keyId: string) => (keyId === 'ann-key' ? { secret: secretOf('ann'), caller } : undefined);

/** Mostly what is right, so that much gets as far as the next check. */
const mostly = <T>(right: fc.Arbitrary<T>, wrong: fc.Arbitrary<unknown> = fc.anything()) =>
  fc.oneof({ weight: 4, arbitrary: right as fc.Arbitrary<unknown> }, { weight: 1, arbitrary: wrong });
const types = mostly(fc.constantFrom(...Object.keys(COMMANDS)), fc.oneof(fc.constantFrom('Wake', '__proto__'), fc.string()));
const fields = fc.constantFrom('taskId', 'type', 'executionId', 'error', 'conditions', 'x');
const body = mostly(fc.oneof(fc.constant({}), fc.dictionary(fields, fc.jsonValue())));
const whole = fc.record({ commandId: mostly(fc.constant('c')), type: types, taskId: mostly(fc.constantFrom('t', null)), body });
const command = mostly(
  whole,
  fc.record({ commandId: fc.anything(), type: types, body, more: fc.anything() }, { requiredKeys: [] }),
) as fc.Arbitrary<{
  commandId?: unknown;
}>;
const textOf = (value: unknown): Buffer => {
  try {
    return Buffer.from(JSON.stringify(value, (_, each) => (typeof each === 'bigint' ? String(each) : each)) ?? '');
  } catch {
    return Buffer.from('');
  }
};
const framed = fc.record({ id: fc.constantFrom(7, 8, -1), body: fc.uint8Array({ maxLength: 64 }) }).map(({ id, body }) => {
  const head = Buffer.alloc(5);
  head.writeInt32BE(id, 1);
  return Buffer.concat([head, body]);
});
const values = fc.oneof(
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  fc.string({ unit: 'binary' }).map((text) => Buffer.from(text)),
  command.map(textOf),
  framed,
);
const named = fc.dictionary(
  fc.constantFrom('content-type', 'retrigger-key-id', 'retrigger-timestamp', 'retrigger-signature', 'traceparent', 'x'),
  fc.oneof(fc.constantFrom('application/json', 'ann-key', new Date(0).toISOString(), 'a'.repeat(64)), fc.string({ unit: 'binary' })),
);

const headers = fc.oneof(
  named,
  named.map((given) => ({ ...given, 'content-type': 'application/json' })),
);

test('whatever stands in a record, it is read as a command or there is a reason; nothing throws', async () => {
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(values, headers, fc.string(), async (value, given, key) => {
      const record = { topic: TOPICS.commands, partition: 0, offset: 0, at: 0, key, value, headers: given };
      const sent = await readSentCommand(record, readAvro);
      seen.add(sent.kind);
      if (sent.kind === 'unreadable') expect(sent.reason.length).toBeGreaterThan(0);
      else await workOfSent(sent.command, { commandId: kafkaCommandId(caller, sent.command.commandId), caller, now: 0 });
      expect(['proven', 'unproven']).toContain((await whoSigned(record, TOPICS.commands, signer)).kind);
    }),
    { numRuns: 3_000 },
  );
  expect([...seen].sort()).toEqual(['command', 'unreadable']);
});

let world: World;
beforeAll(async () => {
  world = new World();
  await world.startWorker();
  await world.openDoor();
});
afterAll(() => world.end());

test('whatever is signed and published ends in the work log, in an outcome or in the dead letters', async () => {
  let n = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(command, fc.boolean()), { minLength: 1, maxLength: 20 }), async (batch) => {
      const before = { dead: world.deadLetters().length, work: world.work().length };
      const published = batch.map(([given, isKnown]) => {
        const value = { ...given, ...(isKnown ? { commandId: `c-${n++}` } : {}) };
        return { value, record: signed(textOf(value), { key: 'acme/t' }) };
      });
      await world.publish(...published.map(({ record }) => record));
      await world.decided();
      const ids = published.flatMap(({ value: { commandId } }) =>
        typeof commandId === 'string' && /^c-\d+$/.test(commandId) ? [commandId] : [],
      );
      const told = await Promise.all(ids.map((id) => world.command(id)));
      const refusedAtDoor = told.filter(
        ({ state, outcome }) => state === 'refused' && [400, 404, 413].includes(outcome?.status ?? 0),
      ).length;
      const [dead, work] = [world.deadLetters().length - before.dead, world.work().length - before.work];
      expect(dead + work + refusedAtDoor).toBeGreaterThanOrEqual(ids.length);
      expect(dead + work).toBeLessThanOrEqual(batch.length);
    }),
    { numRuns: 60 },
  );
});
