import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { systemClock } from '@retrigger/lifecycle/system-clock.ts';
import { ENDING_CONNECTIONS } from '@retrigger/mongo/ending-connection.ts';
import { connectMongo } from '@retrigger/mongo/mongo-client.ts';
import { MongoClient } from 'mongodb';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { MongoServer } from './mongo-server.ts';

/** The driver checks a server at most so often; later than that a look for a server begins a check at once. */
const BETWEEN_CHECKS_MS = 500;

let server: MongoServer;
beforeEach(async () => {
  server = await MongoServer.start();
});
afterEach(() => server.close());

test('C5: a server whose connections all ended at once is found again, also when somebody asks for it in that very moment', async () => {
  const mongo = await connectMongo(server.url, systemClock);
  const ping = () => mongo.db.command({ ping: 1 });
  try {
    for (let round = 0; round < 3; round++) {
      server.answersPings = false;
      const pinged = new Promise<void>((resolve) => {
        server.onPing = () => resolve();
      });
      const asked = ping().catch(() => {
        server.answersPings = true;
        return ping();
      });
      await pinged;
      while (server.quietForMs < BETWEEN_CHECKS_MS + 100) await pause(20);
      server.endAll();
      expect(await asked).toMatchObject({ ok: 1 });
    }
  } finally {
    await mongo.close();
  }
});

test('C5: what is asked over a connection that has just ended fails at once, and the next try succeeds', async () => {
  const bystander = connect(server.port, '127.0.0.1').resume();
  const mongo = await connectMongo(server.url, systemClock);
  const ping = () => mongo.db.command({ ping: 1 });
  try {
    await ping();
    // All are told in one turn that the other side has ended; in its next step sockets are destroyed, and only then closed.
    const asked = once(bystander, 'finish').then(() => new Promise((resolve) => setImmediate(() => resolve(ping()))));
    server.endAll();
    await expect(asked).rejects.toMatchObject({ name: 'MongoNetworkError' });
    expect(await mongo.retry(ping)).toMatchObject({ ok: 1 });
  } finally {
    await mongo.close();
  }
});

test('C3, C5: a server that takes in no more of what is written fails it inside the bound', async () => {
  const client = new MongoClient(server.url, { socketTimeoutMS: 1_500, retryReads: false, ...ENDING_CONNECTIONS });
  try {
    server.onPing = (from) => from.pause();
    const more = Buffer.alloc(15 * 1_048_576); // more than the buffers on the way take
    await expect(client.db().command({ ping: 1, more })).rejects.toMatchObject({ name: 'MongoNetworkTimeoutError' });
  } finally {
    await client.close();
  }
});
