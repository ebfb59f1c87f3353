import { MongoBulkWriteError, MongoError, MongoServerError } from 'mongodb';

/** What went wrong, in words that stay. `unexpected` is whatever the table below doesn't know. */
export type MongoFailureCode =
  | 'duplicate'
  | 'network'
  | 'timeout'
  | 'not_primary'
  | 'not_durable'
  | 'busy'
  | 'too_large'
  | 'disk_full'
  | 'auth'
  | 'bad_setting'
  | 'index_conflict'
  | 'server_too_old'
  | 'closed'
  | 'unexpected';

/** Whether the same write or read may succeed a moment later without anybody's hand. Every write of this adapter may be done twice. */
const RETRIED: Record<MongoFailureCode, boolean> = {
  duplicate: false,
  network: true,
  timeout: true,
  not_primary: true,
  not_durable: true,
  busy: true,
  too_large: false,
  disk_full: false,
  auth: false,
  bad_setting: false,
  index_conflict: false,
  server_too_old: false,
  closed: false,
  unexpected: false,
};

/** The server's numbers, by their names in MongoDB's error_codes.yml. */
const BY_NUMBER = new Map<number, MongoFailureCode>([
  [11000, 'duplicate'], // DuplicateKey
  [11001, 'duplicate'], // the same, of old servers
  [6, 'network'], // HostUnreachable
  [7, 'network'], // HostNotFound
  [9001, 'network'], // SocketException
  [89, 'timeout'], // NetworkTimeout
  [50, 'timeout'], // MaxTimeMSExpired
  [262, 'timeout'], // ExceededTimeLimit
  [91, 'not_primary'], // ShutdownInProgress
  [189, 'not_primary'], // PrimarySteppedDown
  [10058, 'not_primary'], // LegacyNotPrimary
  [10107, 'not_primary'], // NotWritablePrimary
  [11600, 'not_primary'], // InterruptedAtShutdown
  [11602, 'not_primary'], // InterruptedDueToReplStateChange
  [13435, 'not_primary'], // NotPrimaryNoSecondaryOk
  [13436, 'not_primary'], // NotPrimaryOrSecondary
  [133, 'not_primary'], // FailedToSatisfyReadPreference
  [64, 'not_durable'], // WriteConcernTimeout
  [100, 'not_durable'], // UnsatisfiableWriteConcern
  [134, 'not_durable'], // ReadConcernMajorityNotAvailableYet
  [112, 'busy'], // WriteConflict
  [24, 'busy'], // LockTimeout
  [46, 'busy'], // LockBusy
  [175, 'busy'], // QueryPlanKilled
  [43, 'busy'], // CursorNotFound
  [63, 'busy'], // StaleShardVersion
  [150, 'busy'], // StaleEpoch
  [13388, 'busy'], // StaleConfig
  [10334, 'too_large'], // BSONObjectTooLarge
  [17419, 'too_large'], // an update's result over the bound
  [17420, 'too_large'], // the same, of a replacement
  [14031, 'disk_full'], // OutOfDiskSpace
  [13, 'auth'], // Unauthorized
  [18, 'auth'], // AuthenticationFailed
  [391, 'auth'], // ReauthenticationRequired
  [8000, 'auth'], // AtlasError
  [72, 'bad_setting'], // InvalidOptions
  [79, 'bad_setting'], // UnknownReplWriteConcern
  [85, 'index_conflict'], // IndexOptionsConflict
  [86, 'index_conflict'], // IndexKeySpecsConflict
]);

/** The driver's own failures, by the name of their class. */
const BY_NAME = new Map<string, MongoFailureCode>([
  ['MongoNetworkTimeoutError', 'timeout'],
  ['MongoOperationTimeoutError', 'timeout'],
  ['MongoWaitQueueTimeoutError', 'timeout'],
  ['MongoServerSelectionError', 'network'],
  ['MongoNetworkError', 'network'],
  ['MongoPoolClearedError', 'network'],
  ['PoolClearedOnNetworkError', 'network'],
  ['MongoPoolClosedError', 'network'],
  ['MongoServerClosedError', 'network'],
  ['MongoStalePrimaryError', 'not_primary'],
  ['MongoTopologyClosedError', 'closed'],
  ['MongoClientClosedError', 'closed'],
  ['MongoNotConnectedError', 'closed'],
  ['MongoExpiredSessionError', 'closed'],
  ['MongoKerberosError', 'auth'],
  ['MongoAWSError', 'auth'],
  ['MongoOIDCError', 'auth'],
  ['MongoParseError', 'bad_setting'],
  ['MongoMissingCredentialsError', 'bad_setting'],
  ['MongoMissingDependencyError', 'bad_setting'],
  ['MongoCompatibilityError', 'server_too_old'],
]);

/** A failure of MongoDB that the adapter could not mend. `retry` says that trying again later is worth it: the log delivers the batch again. */
export class MongoFailure extends Error {
  override readonly name = 'MongoFailure';
  readonly code: MongoFailureCode;
  readonly retry: boolean;

  constructor(code: MongoFailureCode, cause: unknown) {
    super(`MongoDB: ${code}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.code = code;
    this.retry = RETRIED[code];
  }
}

/** Total: whatever was thrown gets a code. A bulk write is classified by the worst that it tells, a duplicate being the least. */
export function failureOf(error: unknown): MongoFailure {
  if (error instanceof MongoFailure) return error;
  return new MongoFailure(error instanceof MongoBulkWriteError ? codeOfBulk(error) : codeOf(error), error);
}

/** For a bulk write that was rejected: the places of the documents whose `_id` was taken. @throws MongoFailure when anything else went wrong in it too. */
export function duplicatesIn(error: unknown): number[] {
  const failure = failureOf(error);
  if (failure.code !== 'duplicate' || !(error instanceof MongoBulkWriteError)) throw failure;
  return [error.writeErrors].flat().map(({ index }) => index);
}

function codeOf(error: unknown): MongoFailureCode {
  if (error instanceof MongoServerError)
    return codeOfNumber(error.code) ?? (error.hasErrorLabel('RetryableWriteError') ? 'busy' : 'unexpected');
  const known = error instanceof MongoError ? BY_NAME.get(error.name) : undefined;
  return known ?? (isTooLarge(error) ? 'too_large' : isOfSocket(error) ? 'network' : 'unexpected');
}

function codeOfBulk(error: MongoBulkWriteError): MongoFailureCode {
  // Such an error hides what was thrown on the way, e.g. a broken connection, behind its own class.
  const thrown: unknown = error.errorResponse;
  if (thrown instanceof Error) return codeOf(thrown);
  const concern = error.result?.getWriteConcernError();
  const told = [error.writeErrors].flat().map(({ code }) => code);
  const codes = [...told, ...(concern === undefined ? [] : [concern.code])].map((number) => codeOfNumber(number) ?? 'unexpected');
  const others = codes.filter((code) => code !== 'duplicate');
  return others.find((code) => !RETRIED[code]) ?? others[0] ?? codes[0] ?? codeOfNumber(error.code) ?? 'unexpected';
}

const codeOfNumber = (number: unknown): MongoFailureCode | undefined => BY_NUMBER.get(Number(number));

/** The driver refuses by words alone what the server would not take: a document over the server's bound. */
const isTooLarge = (error: unknown): boolean =>
  error instanceof Error && /larger than the maximum size|exceeds the max bson|out of range/i.test(error.message);

/** What breaks while it is being written comes as the socket says it, not as the driver's own. */
const isOfSocket = (error: unknown): boolean =>
  error instanceof Error &&
  'code' in error &&
  /^(ECONNRESET|EPIPE|ETIMEDOUT|ERR_STREAM_WRITE_AFTER_END|ERR_STREAM_DESTROYED)$/.test(String(error.code));
