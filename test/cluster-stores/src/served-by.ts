import type { DeclaredIndex } from '@retrigger/mongo/mongo-indexes.ts';
import type { Document } from 'mongodb';

export type QueryShape = { collection: string; filter: Document; sort?: Document };

/**
 * The declared index that answers a query without reading past it, by the rule "equalities, then the sort or one range, in the index's order"; `_id` when
 * it names documents; undefined when none does. What stands under `$or` may narrow, never widen, so it is left to the server.
 */
export function servedBy({ collection, filter, sort }: QueryShape, indexes: readonly DeclaredIndex[]): string | undefined {
  const sorted = Object.keys(sort ?? {});
  if ('_id' in filter) return sorted.every((field) => field === '_id') ? '_id' : undefined;
  const asked = Object.keys(filter).filter((field) => !field.startsWith('$'));
  return indexes.find((index) => {
    if (index.collection !== collection) return false;
    const fields = Object.keys(index.key);
    const firstOpen = fields.findIndex((field) => !isEquality(filter[field]));
    const open = firstOpen === -1 ? [] : fields.slice(firstOpen);
    const closed = fields.slice(0, fields.length - open.length);
    const ranged = open[0] !== undefined && open[0] in filter ? [open[0]] : [];
    return (
      asked.length > 0 &&
      asked.every((field) => [...closed, ...ranged].includes(field)) &&
      sorted.every((field, place) => open[place] === field)
    );
  })?.name;
}

const isEquality = (condition: unknown): boolean => condition !== undefined && (condition === null || typeof condition !== 'object');
