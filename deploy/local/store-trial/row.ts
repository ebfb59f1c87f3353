/** A document of the trial, shaped like a snapshot. */
export interface Row {
  _id: string;
  version?: number;
  partition?: number;
  wakeAt?: number;
  tenantId?: string;
  waitsFor?: string[];
  status?: string;
  type?: string;
  note?: string;
}

export const snapshot = (i: number): Row => ({
  _id: `t${i % 10}/task-${i}`,
  version: 1,
  partition: i % 64,
  tenantId: `t${i % 10}`,
  type: `type-${i % 7}`,
  status: i % 100 === 0 ? 'Running' : 'Scheduled',
  waitsFor: i % 50 === 0 ? [`task-${i + 1}`, `task-${i + 2}`] : [],
  note: 'x'.repeat(600),
  ...(i % 4 === 0 ? { wakeAt: i } : {}),
});

/** The three queries of the store that are not by name, each with its index. */
export const INDEXES = [
  { key: { partition: 1, wakeAt: 1 } },
  { key: { tenantId: 1, waitsFor: 1 } },
  { key: { tenantId: 1, status: 1, type: 1 } },
] as const;

export function expect(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise);
}
