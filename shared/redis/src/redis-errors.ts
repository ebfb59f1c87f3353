/** What went wrong, in words that stay. `unexpected` is whatever the table below doesn't know. */
export type RedisFailureCode =
  | 'network'
  | 'timeout'
  | 'closed'
  | 'starting'
  | 'read_only'
  | 'out_of_memory'
  | 'auth'
  | 'bad_setting'
  | 'busy'
  | 'unexpected';

/** Whether the same may work a moment later without anybody's hand. Only connecting is tried again; a charge or an answer that failed is not. */
const RETRIED: Record<RedisFailureCode, boolean> = {
  network: true,
  timeout: true,
  closed: false,
  starting: true,
  read_only: true,
  out_of_memory: true,
  auth: false,
  bad_setting: false,
  busy: true,
  unexpected: false,
};

/** By the first word of what the server answers. */
const BY_ANSWER = new Map<string, RedisFailureCode>([
  ['LOADING', 'starting'],
  ['MASTERDOWN', 'starting'],
  ['CLUSTERDOWN', 'starting'],
  ['READONLY', 'read_only'],
  ['NOREPLICAS', 'read_only'],
  ['MISCONF', 'read_only'],
  ['OOM', 'out_of_memory'],
  ['NOAUTH', 'auth'],
  ['WRONGPASS', 'auth'],
  ['NOPERM', 'auth'],
  ['BUSY', 'busy'],
  ['TRYAGAIN', 'busy'],
]);

/** By the code of Node's own errors. */
const BY_SYSTEM_CODE = new Map<string, RedisFailureCode>([
  ['ECONNREFUSED', 'network'],
  ['ECONNRESET', 'network'],
  ['EPIPE', 'network'],
  ['ENOTFOUND', 'network'],
  ['EAI_AGAIN', 'network'],
  ['EHOSTUNREACH', 'network'],
  ['ENETUNREACH', 'network'],
  ['ETIMEDOUT', 'timeout'],
  ['ERR_INVALID_URL', 'bad_setting'],
]);

/** By the words of the client, which gives its own errors neither class nor code. */
const BY_WORDS: [RegExp, RedisFailureCode][] = [
  [/^Command timed out/, 'timeout'],
  [/^Socket timeout/, 'timeout'],
  [/^Connection is closed/, 'network'],
  [/isn't writeable/, 'network'],
  [/aborted due to connection close/, 'network'],
];

/** A failure of Redis. `retry` says that trying again later is worth it. */
export class RedisFailure extends Error {
  override readonly name = 'RedisFailure';
  readonly code: RedisFailureCode;
  readonly retry: boolean;

  constructor(code: RedisFailureCode, cause: unknown) {
    super(`Redis: ${code}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.code = code;
    this.retry = RETRIED[code];
  }
}

/** Total: whatever was thrown gets a code. */
export function failureOf(error: unknown): RedisFailure {
  return error instanceof RedisFailure ? error : new RedisFailure(codeOf(error), error);
}

function codeOf(error: unknown): RedisFailureCode {
  if (!(error instanceof Error)) return 'unexpected';
  const system = 'code' in error && typeof error.code === 'string' ? BY_SYSTEM_CODE.get(error.code) : undefined;
  const answer = BY_ANSWER.get(error.message.split(' ', 1)[0] ?? '');
  return system ?? answer ?? BY_WORDS.find(([words]) => words.test(error.message))?.[1] ?? 'unexpected';
}
