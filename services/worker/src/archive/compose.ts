import { type Environment, readEnvironment } from '@retrigger/config/environment.ts';
import { ARCHIVE, SERVERS } from '@retrigger/config/variables.ts';
import { ARCHIVABLE, domainDecider } from '@retrigger/domain/domain-decider.ts';
import type { AnyDecider } from '@retrigger/engine/aggregate.ts';
import { restoreArchive, tellRestored } from '@retrigger/engine/restore-events.ts';
import { archiveDue } from '@retrigger/engine/retention.ts';
import { archivedLines, folderArchive } from '@retrigger/files/folder-archive.ts';
import { systemClock } from '@retrigger/lifecycle/system-clock.ts';
import { connectMongo, type MongoConnection } from '@retrigger/mongo/mongo-client.ts';
import { MongoDocumentStore } from '@retrigger/mongo/mongo-document-store.ts';
import { MongoEventStore } from '@retrigger/mongo/mongo-event-store.ts';
import { MongoSnapshotStore } from '@retrigger/mongo/mongo-snapshot-store.ts';
import { type Observer, silent } from '@retrigger/ports/observer.ts';

export type Done = { isDone: boolean; message: string };

const failed = (message: string): Done => ({ isDone: false, message: `retrigger: ${message}` });

/** Tells what went wrong, and nothing else: this is a command, not a service. */
const telling: Observer = { ...silent, log: (level, message, fields) => level === 'error' && console.error(message, fields) };

/** One turn of a cluster's retention, for whoever starts commands at times. One at a time: two would both copy, and the second find events gone. */
export const archiveOnce = (environment: Environment): Promise<Done> =>
  onCluster(environment, async (mongo, archiveDir) => {
    const [events, snapshots, documents] = [new MongoEventStore(mongo), new MongoSnapshotStore(mongo), new MongoDocumentStore(mongo)];
    const ports = { events, snapshots, documents, archive: folderArchive(archiveDir), decider: domainDecider as AnyDecider };
    const moved = await archiveDue({ ...ports, observer: telling, clock: systemClock }, ARCHIVABLE);
    return { isDone: true, message: `${moved} events were archived` };
  });

/** Puts an archive's events back. */
export const restoreToCluster = (path: string | undefined, environment: Environment): Promise<Done> =>
  onCluster(environment, async (mongo) => {
    if (path === undefined) return failed('npm run restore:cluster -- FILE');
    const ports = { events: new MongoEventStore(mongo), documents: new MongoDocumentStore(mongo) };
    return tellRestored(path, await restoreArchive(ports, () => archivedLines(path)));
  });

async function onCluster(environment: Environment, run: (mongo: MongoConnection, archiveDir: string) => Promise<Done>): Promise<Done> {
  const read = readEnvironment(environment, { mongoUrl: SERVERS.mongoUrl, ...ARCHIVE });
  if (read.kind === 'wrong') return failed(read.message);
  const { mongoUrl, archiveDir } = read.settings;
  if (mongoUrl === null) return failed('RETRIGGER_MONGODB_URL is not set; the cluster profile needs it');
  let mongo: MongoConnection | undefined;
  try {
    mongo = await connectMongo(mongoUrl, systemClock);
    return await run(mongo, archiveDir);
  } catch (error) {
    return failed(error instanceof Error ? error.message : String(error));
  } finally {
    await mongo?.close();
  }
}
