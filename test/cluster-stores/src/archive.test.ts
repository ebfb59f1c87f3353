import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { archivedOf } from '@retrigger/engine/archived-events.ts';
import { MongoDocumentStore } from '@retrigger/mongo/mongo-document-store.ts';
import { ArchiveWorld } from '@retrigger/test-engine/archive-world.ts';
import { archiveOnce, restoreToCluster } from '@retrigger/worker/archive/compose.ts';
import { expect, onTestFinished, test } from 'vitest';
import { freshDatabase } from './databases.ts';
import { mongoStores } from './mongo-subject.ts';

test('a cluster’s old events move to a folder by command, and back', async () => {
  const { mongo, url, drop } = await freshDatabase();
  onTestFinished(drop);
  const folder = mkdtempSync(join(tmpdir(), 'retrigger-archive-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const { events, snapshots } = mongoStores(mongo);
  const documents = new MongoDocumentStore(mongo);
  const world = new ArchiveWorld({ events, snapshots, documents });
  const key = await world.live('a', 20);
  const before = (await world.stored(key)).map(({ json, position }) => ({ json, position }));
  const environment = { RETRIGGER_MONGODB_URL: url, RETRIGGER_ARCHIVE_DIR: folder };
  expect(await archiveOnce(environment)).toEqual({ isDone: true, message: '0 events were archived' });
  await documents.write({ kind: 'tenant-settings', tenantId: 'acme', id: 'settings', version: 1, body: { retention: { events: '30d' } } });
  expect(await archiveOnce(environment)).toEqual({ isDone: true, message: '19 events were archived' });
  expect([await world.sequences(key), (await archivedOf(documents, key)).last]).toEqual([[20], 19]);
  const [file = ''] = readdirSync(join(folder, 'tenant-acme'));
  expect(await restoreToCluster(join(folder, 'tenant-acme', file), environment)).toEqual({
    isDone: true,
    message: '19 events of 1 streams are back',
  });
  expect((await world.stored(key)).map(({ json, position }) => ({ json, position }))).toEqual(before);
  expect((await restoreToCluster(join(folder, 'none.gz'), environment)).isDone).toBe(false);
  expect((await archiveOnce({})).message).toContain('RETRIGGER_MONGODB_URL is not set');
});
