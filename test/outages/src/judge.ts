import type { Told } from './asking.ts';
import type { Call } from './calls.ts';
import { OPERATIONS } from './operations.ts';
import { type Answer, LONGEST_ANSWER_MS, type Part, statedFor } from './stated.ts';

/** What the table promises for this call while this part is away. */
export const promised = ({ operation }: Pick<Call, 'operation'>, part: Part): Answer => statedFor(OPERATIONS[operation], part);

/** What was not as promised, in words; none: all was. `named` are the names by which readiness knows the part. */
export function complaints(call: Call, told: Told, part: Part, named: readonly string[]): string[] {
  const answer = promised(call, part);
  const wrong: string[] = [];
  if (!isAs(answer, call, told, named)) wrong.push(`promised "${answer}"`);
  if (told.status === 503 && told.retryAfter === null) wrong.push('503 without Retry-After');
  if (call.key !== undefined && told.commandId === null) wrong.push('the command has no name');
  if (told.tookMs > LONGEST_ANSWER_MS) wrong.push('too late');
  return wrong.map((what) => `${call.operation}: ${what}, got ${described(told)}`);
}

export const described = ({ status, code, isPending, tookMs, text }: Told): string =>
  `${status} ${isPending ? 'pending' : code || text.slice(0, 200)} after ${tookMs} ms`;

export const isUsual = ({ usual }: Call, { status, isPending }: Told): boolean => status === usual && !isPending;

function isAs(answer: Answer, call: Call, told: Told, named: readonly string[]): boolean {
  switch (answer) {
    case 'usual':
      return isUsual(call, told);
    case 'refused':
    case 'unsure':
      return told.status === 503 && told.code === 'unavailable';
    case 'pending':
      return told.status === 202 && told.isPending;
    case 'named':
      return told.status === 503 && told.code === 'unavailable' && named.some((name) => downIn(told.text).includes(name));
    case 'waits':
    case 'impossible':
      return false;
  }
}

/** The dependencies that an answer of `/readyz` calls down, whichever process gave it. */
export function downIn(text: string): string[] {
  const body = JSON.parse(text) as { dependencies?: { [name: string]: string }; data?: { dependencies?: { [name: string]: string } } };
  const all = body.dependencies ?? body.data?.dependencies ?? {};
  return Object.keys(all).filter((name) => all[name] === 'down');
}
