/**
 * What went wrong, in this project's words. `retry`: the same call may succeed later without anybody changing anything.
 * `unreachable` no broker answers · `timed_out` one did not in time · `moved` a leader or coordinator is elsewhere now · `rebalancing` the group is
 * changing · `fenced` this member is no longer one · `too_large` · `too_few_replicas` · `missing` topic or group · `denied` by ACL or credentials ·
 * `misconfigured` a setting that the broker refuses · `unsupported` by this broker · `corrupt` bytes or disk · `unexpected` anything else.
 */
export type KafkaFailureCode =
  | 'unreachable'
  | 'timed_out'
  | 'moved'
  | 'rebalancing'
  | 'fenced'
  | 'too_large'
  | 'too_few_replicas'
  | 'missing'
  | 'denied'
  | 'misconfigured'
  | 'unsupported'
  | 'corrupt'
  | 'unexpected';

export type KafkaFailure = { code: KafkaFailureCode; retry: boolean; message: string };

/** An append or an administrative call that failed for good, or for longer than anybody waits. */
export class KafkaError extends Error {
  readonly code: KafkaFailureCode;
  /** Whether the same call may succeed later. */
  readonly retry: boolean;

  constructor(failure: KafkaFailure, cause?: unknown) {
    super(failure.message, { cause });
    this.name = 'KafkaError';
    this.code = failure.code;
    this.retry = failure.retry;
  }
}

/** One row per code: the protocol's error types, KafkaJS's error names and the system's error codes that mean it. */
const CODES: { [C in KafkaFailureCode]?: { retry: boolean; types: string } } = {
  unreachable: {
    retry: true,
    types: `KafkaJSConnectionError KafkaJSConnectionClosedError KafkaJSBrokerNotFound KafkaJSNoBrokerAvailableError NETWORK_EXCEPTION
      BROKER_NOT_AVAILABLE LISTENER_NOT_FOUND ECONNREFUSED ECONNRESET ETIMEDOUT ENOTFOUND EAI_AGAIN EPIPE`,
  },
  timed_out: { retry: true, types: 'KafkaJSRequestTimeoutError KafkaJSTimeout KafkaJSLockTimeout REQUEST_TIMED_OUT' },
  moved: {
    retry: true,
    types: `LEADER_NOT_AVAILABLE NOT_LEADER_FOR_PARTITION REPLICA_NOT_AVAILABLE FENCED_LEADER_EPOCH UNKNOWN_LEADER_EPOCH NOT_CONTROLLER
      STALE_CONTROLLER_EPOCH STALE_BROKER_EPOCH GROUP_LOAD_IN_PROGRESS GROUP_COORDINATOR_NOT_AVAILABLE NOT_COORDINATOR_FOR_GROUP
      PREFERRED_LEADER_NOT_AVAILABLE ELIGIBLE_LEADERS_NOT_AVAILABLE ELECTION_NOT_NEEDED REASSIGNMENT_IN_PROGRESS OFFSET_NOT_AVAILABLE
      UNSTABLE_OFFSET_COMMIT FETCH_SESSION_ID_NOT_FOUND INVALID_FETCH_SESSION_EPOCH KafkaJSGroupCoordinatorNotFound KafkaJSMetadataNotLoaded
      KafkaJSTopicMetadataNotLoaded KafkaJSStaleTopicMetadataAssignment`,
  },
  rebalancing: { retry: true, types: 'REBALANCE_IN_PROGRESS MEMBER_ID_REQUIRED KafkaJSMemberIdRequired' },
  fenced: {
    retry: false,
    types: 'ILLEGAL_GENERATION UNKNOWN_MEMBER_ID FENCED_INSTANCE_ID INVALID_PRODUCER_EPOCH UNKNOWN_PRODUCER_ID',
  },
  too_large: {
    retry: false,
    types: 'MESSAGE_TOO_LARGE RECORD_LIST_TOO_LARGE INVALID_FETCH_SIZE OFFSET_METADATA_TOO_LARGE INVALID_COMMIT_OFFSET_SIZE',
  },
  too_few_replicas: { retry: true, types: 'NOT_ENOUGH_REPLICAS NOT_ENOUGH_REPLICAS_AFTER_APPEND' },
  missing: { retry: true, types: 'UNKNOWN_TOPIC_OR_PARTITION GROUP_ID_NOT_FOUND OFFSET_OUT_OF_RANGE KafkaJSOffsetOutOfRange' },
  denied: {
    retry: false,
    types: `KafkaJSSASLAuthenticationError TOPIC_AUTHORIZATION_FAILED GROUP_AUTHORIZATION_FAILED CLUSTER_AUTHORIZATION_FAILED
      TRANSACTIONAL_ID_AUTHORIZATION_FAILED SASL_AUTHENTICATION_FAILED DELEGATION_TOKEN_AUTHORIZATION_FAILED DELEGATION_TOKEN_EXPIRED
      SECURITY_DISABLED POLICY_VIOLATION`,
  },
  misconfigured: {
    retry: false,
    types: `INVALID_TOPIC_EXCEPTION INVALID_PARTITIONS INVALID_REPLICATION_FACTOR INVALID_REPLICA_ASSIGNMENT INVALID_CONFIG INVALID_REQUEST
      INVALID_REQUIRED_ACKS INVALID_TIMESTAMP INVALID_GROUP_ID INVALID_SESSION_TIMEOUT INCONSISTENT_GROUP_PROTOCOL GROUP_MAX_SIZE_REACHED
      TOPIC_ALREADY_EXISTS TOPIC_DELETION_DISABLED UNSUPPORTED_SASL_MECHANISM ILLEGAL_SASL_STATE ERR_SSL_WRONG_VERSION_NUMBER
      DEPTH_ZERO_SELF_SIGNED_CERT SELF_SIGNED_CERT_IN_CHAIN UNABLE_TO_VERIFY_LEAF_SIGNATURE CERT_HAS_EXPIRED ERR_TLS_CERT_ALTNAME_INVALID`,
  },
  unsupported: {
    retry: false,
    types: `UNSUPPORTED_VERSION UNSUPPORTED_FOR_MESSAGE_FORMAT UNSUPPORTED_COMPRESSION_TYPE KafkaJSServerDoesNotSupportApiKey
      KafkaJSNotImplemented KafkaJSUnsupportedMagicByteInMessageSet`,
  },
  corrupt: { retry: true, types: 'CORRUPT_MESSAGE KAFKA_STORAGE_ERROR LOG_DIR_NOT_FOUND KafkaJSPartialMessageError' },
};

const BY_TYPE = new Map<string, { code: KafkaFailureCode; retry: boolean }>(
  Object.entries(CODES).flatMap(([code, { retry, types }]) =>
    types.split(/\s+/).map((type) => [type, { code: code as KafkaFailureCode, retry }] as const),
  ),
);

/** Total: every error has a row. KafkaJS wraps errors in errors; the innermost one that the table knows decides. */
export function classifyKafkaError(error: unknown): KafkaFailure {
  const chain = causes(error);
  for (const inner of chain.toReversed()) {
    for (const name of [inner.type, inner.name, inner.code]) {
      const row = typeof name === 'string' ? BY_TYPE.get(name) : undefined;
      if (row !== undefined) return { ...row, message: inner.message };
    }
  }
  const last = chain.at(-1);
  const bug = /^(Type|Range|Reference|Syntax)Error$/.test(last?.name ?? '');
  return { code: 'unexpected', retry: !bug && last?.retriable !== false, message: last?.message ?? String(error) };
}

type Inner = Error & { type?: unknown; code?: unknown; retriable?: unknown; errors?: unknown };

/** The error, its cause, its cause's cause, …; of an aggregate the first member. */
function causes(error: unknown, depth = 0): Inner[] {
  if (!(error instanceof Error) || depth > 8) return [];
  const inner: Inner = error;
  const next = Array.isArray(inner.errors) ? inner.errors[0] : inner.cause;
  return [inner, ...causes(next, depth + 1)];
}
