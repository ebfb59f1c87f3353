/** What may be away. The first four are a cluster's servers, by the names that `/readyz` gives them; the next three are processes of ours; `disk` is the embedded profile's. */
export const PARTS = ['kafka', 'schemaRegistry', 'mongodb', 'redis', 'workers', 'dispatcher', 'notifier', 'disk'] as const;
export type Part = (typeof PARTS)[number];

/** What a caller is told, and what has happened then. Each 503 has `Retry-After`. */
export const ANSWERS = {
  usual: { mark: 'as usual', means: 'the answer that it always has' },
  refused: { mark: '503', means: '`unavailable`; nothing was written and nothing will be' },
  unsure: {
    mark: '503 ?',
    means:
      '`unavailable`; what was on its way may still be carried out when the server comes back, once. The same `Idempotency-Key` again finds out. Commands for a partition that has kept others waiting for 2 s are refused at once, and of them nothing was written',
  },
  pending: {
    mark: '202',
    means:
      'taken, and carried out when workers are back: a repeat under its key, or its `Location`, tells the outcome. Once the oldest command has waited for 10 s: 503 `overloaded`, and nothing was written',
  },
  named: { mark: '503 names it', means: '`unavailable`, with the state of every dependency' },
  waits: { mark: 'waits', means: 'the record stays in Kafka and is taken up when the server is back; nobody is told anything' },
  impossible: { mark: '–', means: 'there is nobody to ask' },
} as const;
export type Answer = keyof typeof ANSWERS;

type Row = { [part in Part]: Answer } & { why: string };

const USUAL: Row = {
  ...{ kafka: 'usual', schemaRegistry: 'usual', mongodb: 'usual', redis: 'usual' },
  ...{ workers: 'usual', dispatcher: 'usual', notifier: 'usual', disk: 'usual' },
  why: '',
};

/** What calls of a kind need decides what they answer. */
export const KINDS = {
  service: { ...USUAL, why: 'asks nothing but the process itself' },
  readiness: {
    ...{ ...USUAL, kafka: 'named', schemaRegistry: 'named', mongodb: 'named', redis: 'named', disk: 'named' },
    why: 'tells of servers. That workers are late it shows as `degraded`; every process of ours has a `/readyz` of its own',
  },
  read: { ...USUAL, mongodb: 'refused', why: 'needs the store alone, which also knows who calls' },
  command: {
    ...{ ...USUAL, kafka: 'unsure', mongodb: 'refused', workers: 'pending', disk: 'refused' },
    why: 'is appended to the work log, and decided by a worker. Without Redis its answer is found by its receipt, a tenth of a second later. Without MongoDB one that has no `Idempotency-Key` may be 202 in the first seconds, while a gateway remembers who calls; it is carried out when MongoDB is back',
  },
  charged: {
    ...{ ...USUAL, kafka: 'unsure', mongodb: 'refused', redis: 'refused', workers: 'pending', disk: 'refused' },
    why: 'is charged to the limits first, and limits that can’t be asked let nothing through',
  },
  direct: {
    ...{ ...USUAL, mongodb: 'unsure', disk: 'refused' },
    why: 'is carried out in the store by the gateway itself, without a worker',
  },
  redrive: {
    ...{ ...USUAL, kafka: 'unsure', mongodb: 'unsure', disk: 'refused' },
    why: 'notes in the store who wants it, then appends the record to its log, then closes the dead letter',
  },
  published: {
    ...{ ...USUAL, kafka: 'impossible', mongodb: 'waits', disk: 'impossible' },
    why: 'is taken from Kafka by a gateway. JSON needs no registry; Avro waits for it when its schema was not seen before',
  },
  publishedCharged: {
    ...{ ...USUAL, kafka: 'impossible', mongodb: 'waits', redis: 'waits', disk: 'impossible' },
    why: 'the same, and is charged first',
  },
} satisfies { [kind: string]: Row };
export type Kind = keyof typeof KINDS;

export const statedFor = (kind: Kind, part: Part): Answer => KINDS[kind][part];

/** No call takes longer, whatever is away, unless it asks to wait (`Prefer: wait`, `wait`). */
export const LONGEST_ANSWER_MS = 10_000;
/** Readiness names what is away within this, and within this everything works again after it is back, without a restart of any process of ours. */
export const NAMED_WITHIN_MS = 10_000;
export const BACK_WITHIN_MS = 30_000;
