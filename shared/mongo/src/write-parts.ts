import { type Reached, unobserved } from '@retrigger/ports/reached.ts';

/** The items in their order, in rounds: first of each key, second of each key, and so on. */
export function inRounds<T>(items: T[], keyOf: (item: T) => string): T[][] {
  const rounds: T[][] = [];
  const seen = new Map<string, number>();
  for (const item of items) {
    const key = keyOf(item);
    const round = seen.get(key) ?? 0;
    seen.set(key, round + 1);
    const items = rounds[round];
    if (items === undefined) rounds[round] = [item];
    else items.push(item);
  }
  return rounds;
}

/** What goes to the server in one message: everything; or, when somebody watches, first one document, so that there is a place to die behind it. */
export function partsOf<T>(items: T[], reached: Reached): T[][] {
  return reached === unobserved || items.length < 2 ? [items] : [items.slice(0, 1), items.slice(1)];
}
