/** Why a call got no success (RFC 9457). `code` is stable and what programs look at. */
export type Problem = {
  code: string;
  /** The HTTP status; 0 = there was no answer. */
  status: number;
  title: string;
  detail: string;
  /** Of a changing call: its command. */
  commandId?: string;
  /** What is wrong with which field of the request. */
  errors?: { path: string; message: string }[];
  /** What the code adds, e.g. `cycle`, `conditions`, `fields`. */
  [more: string]: unknown;
};

/** Codes that this client makes itself; all others are the API's. After `undecided` and `unreachable` the command may still be carried out. */
export type OwnCode =
  | 'unreachable' // nobody answered in the time there was
  | 'undecided' // the command was taken, and nobody has decided it in that time
  | 'aborted' // the caller's signal
  | 'unreadable'; // what answered is not this API

/**
 * What came of a call. A refusal is an expected answer, so it is a value; nothing but a bug throws.
 * `replayed`: it is the first answer to this idempotency key again.
 */
export type Outcome<T> = { ok: true; status: number; data: T; commandId?: string; replayed: boolean } | { ok: false; problem: Problem };

/** A problem for those who would rather catch one. */
export class ProblemError extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(`${problem.code}: ${problem.detail}`);
    this.name = 'ProblemError';
    this.problem = problem;
  }
}

/** The data of an outcome. @throws ProblemError when it is a problem. */
export function dataOf<T>(outcome: Outcome<T>): T {
  if (outcome.ok) return outcome.data;
  throw new ProblemError(outcome.problem);
}

export const problemOf = (code: OwnCode, detail: string, status = 0): Problem => ({ code, status, title: TITLES[code], detail });

const TITLES: Record<OwnCode, string> = {
  unreachable: 'No answer',
  undecided: 'Not decided yet',
  aborted: 'Broken off',
  unreadable: 'Not an answer of Retrigger',
};
