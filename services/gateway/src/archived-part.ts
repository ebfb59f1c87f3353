import type { Archived } from '@retrigger/engine/archived-events.ts';

/** What an answer says of a task's older events that are not here any more: how many, and the instant of the last of them. */
export type ArchivedPart = { events: number; until: string };

export const archivedPart = ({ last, at }: Archived): { archived?: ArchivedPart } =>
  last === 0 ? {} : { archived: { events: last, until: at } };
