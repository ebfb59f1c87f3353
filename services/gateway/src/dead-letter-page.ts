import { type DeadLetter, type DeadLetters, KEEPER, NO_TENANT } from '@retrigger/engine/dead-letter-store.ts';
import type { Caller } from './credentials.ts';

const AT_ONCE = 20;
/** In base64. A dead letter may be as large as a record. */
const MOST_CHARACTERS = 8_388_608;

/** `next`: the id behind which the next page begins; null when there is none. */
export type DeadLetterPage = { letters: DeadLetter[]; next: string | null };

/** The tenants whose dead letters a caller sees: their own; those that prove no tenant only the admins of `default`. */
export const visibleTenants = ({ tenantId }: Pick<Caller, 'tenantId'>): string[] =>
  tenantId === KEEPER ? [tenantId, NO_TENANT] : [tenantId];

/** By id, which is by time. A page ends early when what is in it is large. */
export async function deadLetterPage(
  store: Pick<DeadLetters, 'list'>,
  tenantIds: string[],
  state: 'open' | 'closed',
  start: string | null,
  pageSize: number,
): Promise<DeadLetterPage> {
  const letters: DeadLetter[] = [];
  let characters = 0;
  for (let after = start; ; after = letters.at(-1)?.id ?? null) {
    const lists = await Promise.all(tenantIds.map((tenantId) => store.list(tenantId, state, after, AT_ONCE)));
    const chunk = lists.flat().sort((a, b) => (a.id < b.id ? -1 : 1));
    for (const letter of chunk.slice(0, AT_ONCE)) {
      const last = letters.at(-1);
      if (last !== undefined && (letters.length === pageSize || characters > MOST_CHARACTERS)) return { letters, next: last.id };
      letters.push(letter);
      characters += letter.bytes.length;
    }
    if (chunk.length < AT_ONCE) return { letters, next: null };
  }
}
