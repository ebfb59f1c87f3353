/** An execution that may be claimed, when the store was looked at. */
export type Candidate = { taskId: string; since: number };

/** Who waits: for tasks of these types, for at most `most` candidates, until `until` (epoch ms). `name` tells it from all others. */
export type Seeker = { tenantId: string; types: readonly string[]; name: string; most: number; until: number; signal: AbortSignal };

/** The tasks of one type of a tenant, and who waits for them. Until `eagerUntil` it is looked at more often. Times in epoch ms. */
export type Line = {
  tenantId: string;
  type: string;
  waiting: Set<Waiter>;
  lookedAt: number;
  leastPauseMs: number;
  dueAt: number;
  eagerUntil: number;
  isLooking: boolean;
};
/** The lines of one tenant that are not being looked at, those that want to be soon and the others, each in the order in which they are due. It may look again at `nextAt`. */
export type Desk = { lines: Map<string, Line>; hurried: Set<Line>; calm: Set<Line>; nextAt: number };
export type Waiter = Seeker & {
  lines: Line[];
  unseen: Set<Line>;
  isLate: boolean;
  end(found: Candidate[]): void;
  fail(error: unknown): void;
};

/** Which line is due first, as good as: those behind it came later. */
export function firstIn({ hurried, calm }: Desk): Line | undefined {
  const [[soon], [later]] = [hurried, calm];
  return soon === undefined || (later !== undefined && later.dueAt < soon.dueAt) ? later : soon;
}
