import type { Answer } from './client.ts';

/** An answer but for these names in it, and for the ids of its own. */
export function bareAnswer({ status, text, headers }: Answer, names: string[]): object {
  const own = [headers.get('x-command-id'), headers.get('x-request-id')].flatMap((id) => id ?? []);
  const plain = (given: string) => [...names, ...own].reduce((result, id) => result.replaceAll(id, '*'), given);
  const shown = [...headers].filter(([name]) => name !== 'date').map(([name, value]) => [name, plain(value)]);
  return { status, text: plain(text), headers: shown };
}
