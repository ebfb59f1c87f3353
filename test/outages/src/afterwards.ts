import type { Caller } from './asking.ts';
import type { Call } from './calls.ts';
import { described, isUsual, promised } from './judge.ts';
import { BACK_WITHIN_MS, type Part } from './stated.ts';

/** A part is back: what was refused has left nothing, and what is asked again under its key is done, once. Returns what is otherwise, in words. */
export async function afterwards(caller: Caller, calls: Call[], part: Part): Promise<string[]> {
  const found = await Promise.all(calls.map((call) => afterOne(caller, call, part)));
  return found.flat();
}

async function afterOne(caller: Caller, call: Call, part: Part): Promise<string[]> {
  const { operation, done, key } = call;
  if (promised(call, part) === 'refused' && (await done?.()) === 1) return [`${operation}: refused, and done all the same`];
  let told = await caller.ask(call);
  for (const end = performance.now() + BACK_WITHIN_MS; !isUsual(call, told) && performance.now() < end; ) told = await caller.ask(call);
  if (!isUsual(call, told)) return [`${operation}: asked again it is ${described(told)}`];
  const count = key === undefined ? undefined : await done?.();
  return count === undefined || count === 1 ? [] : [`${operation}: done ${count} times`];
}
