import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Environment, readEnvironment } from '@retrigger/config/environment.ts';
import { firstKey } from '@retrigger/config/first-key.ts';
import { hmacSecrets } from '@retrigger/config/hmac-secrets.ts';
import { serverSecret } from '@retrigger/config/server-secret.ts';
import { EMBEDDED } from '@retrigger/config/variables.ts';
import { jsonEvents } from '@retrigger/contract/event-codec.ts';
import { decodeWork, encodeWork, senderOf } from '@retrigger/contract/work-record.ts';
import { createDispatcher } from '@retrigger/dispatcher/dispatcher.ts';
import { ARCHIVABLE, domainDecider } from '@retrigger/domain/domain-decider.ts';
import type { AnyDecider } from '@retrigger/engine/aggregate.ts';
import { eraseFirst } from '@retrigger/engine/erase-first.ts';
import { isMasterKeyOf, OTHER_MASTER_KEY } from '@retrigger/engine/master-key.ts';
import { createPrivacy } from '@retrigger/engine/privacy.ts';
import { type Charged, chargedSince, openWindows } from '@retrigger/engine/refill-limits.ts';
import { archiveDue, type RetentionPorts } from '@retrigger/engine/retention.ts';
import { WorkLag } from '@retrigger/engine/work-lag.ts';
import { writeInSteps } from '@retrigger/engine/write-in-steps.ts';
import { folderArchive } from '@retrigger/files/folder-archive.ts';
import { createAdmission, createGateway } from '@retrigger/gateway/app.ts';
import { gatewayConfig } from '@retrigger/gateway/config.ts';
import { gatewayCredentials, tokenIssuer } from '@retrigger/gateway/gateway-credentials.ts';
import { openKafkaDoor } from '@retrigger/gateway/open-kafka-door.ts';
import { serve } from '@retrigger/gateway/serve.ts';
import { sweepKeys } from '@retrigger/gateway/sweep-keys.ts';
import { LimitsOfTenants, storedLimits } from '@retrigger/gateway/tenant-settings.ts';
import { freshIds } from '@retrigger/lifecycle/fresh-ids.ts';
import type { Composed } from '@retrigger/lifecycle/run.ts';
import { supervise } from '@retrigger/lifecycle/supervise.ts';
import { systemClock } from '@retrigger/lifecycle/system-clock.ts';
import { MemoryAnswers } from '@retrigger/memory/memory-answers.ts';
import { MemoryLeases } from '@retrigger/memory/memory-leases.ts';
import { MemoryLimiter } from '@retrigger/memory/memory-limiter.ts';
import { createNotifier } from '@retrigger/notifier/notifier.ts';
import { notifierParts } from '@retrigger/notifier/settings.ts';
import type { Clock } from '@retrigger/ports/clock.ts';
import { CHARGED_HEADER, TOPICS, WORKER_GROUP } from '@retrigger/ports/log.ts';
import { type Reached, unobserved } from '@retrigger/ports/reached.ts';
import { lockDataFolder } from '@retrigger/sqlite/data-folder-lock.ts';
import { sqliteFault } from '@retrigger/sqlite/sqlite-errors.ts';
import { SqliteKeyStore } from '@retrigger/sqlite/sqlite-key-store.ts';
import { openSqliteLog, type SqliteLog } from '@retrigger/sqlite/sqlite-log.ts';
import { openSqliteStore } from '@retrigger/sqlite/sqlite-store.ts';
import { startTelemetry } from '@retrigger/telemetry/telemetry.ts';
import { createWorker } from '@retrigger/worker/worker.ts';
import { RESTORING } from './backup/backup-format.ts';
import { greeting } from './greeting.ts';
import { lockWhenFree } from './lock-when-free.ts';
import { readinessOf } from './readiness.ts';

const VERSION = '0.1.0';
/** In one process partitions only spread the work over batches: few make larger ones, and share an fsync all the same. */
const PARTITIONS = { [TOPICS.commands]: 8, [TOPICS.work]: 8, [TOPICS.events]: 8, [TOPICS.deadLetters]: 1 };
const KEEP_LOG_MS = 24 * 3_600_000;
const TRUNCATE_EVERY_MS = 600_000;
const ARCHIVE_EVERY_MS = 3_600_000;
const HTTP_GRACE_MS = 3_000;

export type StandaloneOptions = {
  /** Told how far a batch has come; for tests that die there. */
  reached?: Reached;
  /** Store a batch in steps, as the cluster does, instead of one transaction. */
  writeInSteps?: boolean;
};

/** Gateway, worker, dispatcher and notifier in one process on one data folder. What its user can mend is a value; see lifecycle/run.ts. */
export const composeStandalone = (environment: Environment, options: StandaloneOptions = {}): Promise<Composed> =>
  composeOnDisk(environment, options).catch((error: unknown) => {
    if (sqliteFault(error).code === 'disk_full') return cannot('the disk of the data folder is full: make room on it');
    throw error;
  });

async function composeOnDisk(environment: Environment, options: StandaloneOptions): Promise<Composed> {
  const read = readEnvironment(environment, EMBEDDED);
  if (read.kind === 'wrong') return { kind: 'cannot_start', message: read.message };
  const { settings } = read;
  const tokens = tokenIssuer(settings);
  if (tokens.kind === 'wrong') return cannot(tokens.message);
  const { dataDir } = settings;
  const lock = await lockWhenFree(() => lockDataFolder(dataDir), systemClock);
  if (lock.kind === 'taken')
    return cannot(`another process uses the data folder ${dataDir}: stop it, or set RETRIGGER_DATA_DIR to another folder`);
  if (lock.kind === 'unwritable')
    return cannot(
      `the data folder ${dataDir} can not be used (${lock.reason}): make it writable, or set RETRIGGER_DATA_DIR to another folder`,
    );
  if (existsSync(join(dataDir, RESTORING)))
    return cannot(`the data folder ${dataDir} was restored in part only: empty it, and npm run restore -- FOLDER once more`);
  const secret = await serverSecret(settings.secret, dataDir);
  if (secret.kind === 'unusable') return cannot(secret.message);
  const key = await firstKey(settings.apiKey, dataDir);
  if (key.kind === 'unusable') return cannot(key.message);
  const secrets = hmacSecrets(secret.secret);
  const masterSecrets = settings.masterKey === null ? secrets : hmacSecrets(Buffer.from(settings.masterKey));
  const keys = new SqliteKeyStore(join(dataDir, 'keys.db'));
  if (!(await isMasterKeyOf({ keys, secrets: masterSecrets, freshBytes: randomBytes })))
    return cannot(`the data folder ${dataDir} ${OTHER_MASTER_KEY}`);

  const clock = systemClock;
  const reached = options.reached ?? unobserved;
  const telemetry = await startTelemetry({
    service: 'retrigger',
    version: VERSION,
    logLevel: settings.logLevel,
    exportSpans: settings.otlpEndpoint !== null,
  });
  const { observer } = telemetry;
  const opened = openSqliteLog(join(dataDir, 'log.db'), PARTITIONS, clock, reached);
  if (opened.kind === 'mismatch')
    return cannot(`${opened.topic} was made with ${JSON.stringify(opened.stored)}, this version wants ${JSON.stringify(opened.wanted)}`);
  const { log } = opened;
  const truncation = supervise('truncating the log', () => truncate(log, clock), { clock, observer });
  const store = openSqliteStore(join(dataDir, 'store.db'), reached);
  const { events, receipts, snapshots, documents } = store;
  const sweeping = supervise('sweeping away dead API keys', () => sweepKeys(documents, clock), { clock, observer });
  const privacy = createPrivacy({ keys, secrets: masterSecrets, snapshots, clock, freshBytes: randomBytes });
  const decisions = options.writeInSteps ? writeInSteps(events, receipts, snapshots, reached) : store.decisions;
  const answers = new MemoryAnswers(clock);
  const leases = new MemoryLeases(clock);
  const config = gatewayConfig(settings, true);
  const limits = new LimitsOfTenants(config.limits, documents, clock);
  const limiter = new MemoryLimiter();
  await limiter.restore(openWindows(charged(log, clock), await storedLimits(config.limits, documents), clock.now()), clock.now());

  const worker = await createWorker({
    ...{ log, events, receipts, snapshots, answers, clock, observer, reached },
    ...{ encode: encodeWork, decode: decodeWork, encodeEvent: jsonEvents.encode },
    decisions: eraseFirst(decisions, (token) => privacy.ring.destroy(token)),
    decider: domainDecider as AnyDecider,
  });
  const archive = folderArchive(join(dataDir, 'archive'));
  const archived = { events, snapshots, documents, archive, decider: domainDecider as AnyDecider, observer, clock };
  const retention = supervise('archiving old events', () => archiveInTurn(archived), { clock, observer });
  const dispatcher = await createDispatcher({
    log,
    snapshots,
    eventCodec: jsonEvents,
    secrets,
    privacy,
    clock,
    observer,
    allowPrivateTargets: settings.allowPrivateTargets,
    typeConcurrency: settings.typeConcurrency,
  });
  const notifier = await createNotifier({
    ...{ log, documents, events, snapshots, eventCodec: jsonEvents, secrets, clock, observer },
    ...notifierParts(settings, clock),
    showEvents: (stored) => privacy.disclosure.named(stored),
  });
  const lag = new WorkLag(log, TOPICS.work, WORKER_GROUP, clock);
  const gateway = {
    ...{
      log,
      lag,
      answers,
      receipts,
      events,
      snapshots,
      documents,
      limiter,
      leases,
      secrets,
      privacy,
      clock,
      observer,
      encode: encodeWork,
    },
    credentials: gatewayCredentials(key.key, tokens.issuer, { documents, secrets, privacy, clock, observer }),
    freshId: freshIds(),
    metrics: telemetry.prometheus,
    readiness: readinessOf({ log, store, worker }, dataDir),
    limitsFor: (tenantId: string) => limits.of(tenantId),
    limitsChanged: (tenantId: string) => limits.forget(tenantId),
    config,
  };
  const admission = createAdmission(gateway);
  const door = await openKafkaDoor({ ...gateway, readAvro: NO_AVRO, topic: TOPICS.commands }, admission);
  const stopBehindTheDoor = async () => {
    await door.stop();
    await dispatcher.stop();
    await notifier.stop();
    await worker.stop();
    await truncation.stop();
    await retention.stop();
    await sweeping.stop();
    await log.close();
    await store.close();
    await keys.close();
    await Promise.all([answers.close(), limiter.close(), leases.close(), telemetry.stop()]);
    lock.release();
  };
  const server = await serve(createGateway(gateway, admission).fetch, settings);
  if (server.kind === 'cannot_listen') {
    await stopBehindTheDoor();
    return cannot(server.message);
  }
  const looking = supervise('looking how far the workers are behind', () => lag.turn(), { clock, observer });
  process.stdout.write(greeting(server.url, dataDir, settings.apiKey === null ? key.key : null));
  return {
    kind: 'started',
    observer,
    async stop() {
      await server.stop(HTTP_GRACE_MS);
      await looking.stop();
      await stopBehindTheDoor();
    },
  };
}

/** Returns when to look again. */
async function archiveInTurn(ports: RetentionPorts): Promise<number> {
  await archiveDue(ports, ARCHIVABLE);
  return ports.clock.now() + ARCHIVE_EVERY_MS;
}

/** Dead letters are kept as documents by then. Returns when to look again. */
async function truncate(log: SqliteLog, clock: Clock): Promise<number> {
  for (const topic of Object.values(TOPICS)) await log.truncate(topic, clock.now() - KEEP_LOG_MS);
  return clock.now() + TRUNCATE_EVERY_MS;
}

/** What the doors have charged for since the oldest window that may be open. */
function* charged(log: SqliteLog, clock: Clock): Generator<Charged> {
  for (const { value, at, header } of log.withHeader(TOPICS.work, CHARGED_HEADER, chargedSince(clock.now()))) {
    const command = senderOf({ value });
    if (command !== undefined) yield { command, cost: Number(header), at };
  }
}

/** Without a registry nobody knows what a framed value means; commands in JSON need none. */
const NO_AVRO = async () => ({
  kind: 'undecodable' as const,
  reason: 'there is no schema registry here; publish JSON, with content-type: application/json',
});

const cannot = (message: string): Composed => ({ kind: 'cannot_start', message: `retrigger: ${message}` });
