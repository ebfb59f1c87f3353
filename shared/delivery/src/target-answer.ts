import type { Json } from '@retrigger/domain/json.ts';
import { errors } from 'undici';
import { RefusedAddressError } from './guarded-connect.ts';

/** What a call led to. Messages are shown to the task's owner and stored for ever: they hold no URL, header, body or secret. */
export type TargetAnswer =
  | { kind: 'completed'; result: Json }
  /** 202: the target will report itself. */
  | { kind: 'accepted' }
  | { kind: 'failed'; error: { code: TargetFailure; message: string }; retryable: boolean };

export type TargetFailure =
  | 'target_status'
  | 'target_timeout'
  | 'target_unreachable'
  | 'target_refused_address'
  | 'target_answer_too_large'
  | 'target_answer_invalid';

export const failed = (code: TargetFailure, message: string, retryable: boolean): TargetAnswer => ({
  kind: 'failed',
  error: { code, message },
  retryable,
});

export const timedOut = (timeoutMs: number): TargetAnswer =>
  failed('target_timeout', `The target did not answer within ${timeoutMs} ms`, true);

export const addressRefused = (why: string): TargetAnswer =>
  failed('target_refused_address', `The target's address is refused: ${why}`, false);

/** What system and undici error codes mean to a task's owner. */
const REASONS: { readonly [code: string]: string } = {
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection was lost',
  EPIPE: 'the connection was lost',
  UND_ERR_SOCKET: 'the connection was lost',
  ENOTFOUND: 'its name is unknown',
  EAI_AGAIN: 'its name could not be looked up',
  EHOSTUNREACH: 'there is no way to its host',
  ENETUNREACH: 'there is no way to its network',
  ETIMEDOUT: 'it did not take the connection in time',
  UND_ERR_CONNECT_TIMEOUT: 'it did not take the connection in time',
  UND_ERR_ABORTED: 'the call was broken off',
  UND_ERR_DESTROYED: 'the call was broken off',
  UND_ERR_CLOSED: 'the call was broken off',
};

/** Every error of a call in the words above; the error's own message is not repeated, for it may hold what was sent. */
export function failureOf(error: unknown): TargetAnswer {
  if (error instanceof RefusedAddressError) return addressRefused('its name leads to a private, loopback or link-local address');
  if (error instanceof errors.InvalidArgumentError)
    return failed('target_unreachable', 'The target can not be called as it is given', false);
  const code = codeOf(error);
  const reason =
    REASONS[code] ??
    (/^(ERR_TLS|ERR_SSL|CERT_|DEPTH_|UNABLE_|SELF_SIGNED)/.test(code) ? 'its certificate is not accepted' : 'the call failed');
  return failed('target_unreachable', `The target could not be called: ${reason}${code === '' ? '' : ` (${code})`}`, true);
}

function codeOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0]); // one for each address tried
  if (!(error instanceof Error)) return '';
  if (error.name === 'AbortError') return 'UND_ERR_ABORTED';
  return 'code' in error && typeof error.code === 'string' && /^[A-Z][A-Z0-9_]{1,40}$/.test(error.code) ? error.code : '';
}
