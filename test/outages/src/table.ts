import { OPERATIONS, PUBLISHED } from './operations.ts';
import { ANSWERS, BACK_WITHIN_MS, KINDS, type Kind, LONGEST_ANSWER_MS, NAMED_WITHIN_MS, PARTS, statedFor } from './stated.ts';

const TITLES = ['Kafka', 'registry', 'MongoDB', 'Redis', 'workers', 'dispatcher', 'notifier', 'disk full'];

/** One list entry for each kind of answer. */
const legend = (): string =>
  Object.values(ANSWERS)
    .map(({ mark, means }) => `- **${mark}**: ${means}.`)
    .join('\n');

const rowsOf = (operations: { [operation: string]: Kind }): string =>
  Object.entries(operations)
    .map(([operation, kind]) => `| \`${operation}\` | ${PARTS.map((part) => ANSWERS[statedFor(kind, part)].mark).join(' | ')} | ${kind} |`)
    .join('\n');

const reasons = (): string =>
  Object.entries(KINDS)
    .map(([kind, { why }]) => `- *${kind}* ${why}.`)
    .join('\n');

const seconds = (ms: number): string => `${ms / 1_000} s`;

/** deploy/OUTAGES.md, whole. */
export const outagesText = (): string => `# What every call answers while something is away

Written by \`npm run outages -w test/outages\` from \`test/outages/src/stated.ts\` and \`operations.ts\`. \`npm run test:cluster\` holds every line of it on a real cluster,
with each server killed and, apart from that, frozen (SIGSTOP) so that it takes connections and says nothing, and with each of our processes killed; the last column
is held on a small disk that is filled.

- No call takes longer than ${seconds(LONGEST_ANSWER_MS)}, unless it asks to wait (\`Prefer: wait=N\`, \`wait\`).
- \`GET /readyz\` of every process names what is away within ${seconds(NAMED_WITHIN_MS)}, and is 503 as long as it is.
  A load balancer that goes by it takes a gateway out whatever is away, also for the calls that would go on; one that goes by \`/healthz\` leaves those to be answered as below.
- When it is back, everything works again within ${seconds(BACK_WITHIN_MS)}, and no process of ours has been started again.
- Whatever a call was answered, the same call under the same \`Idempotency-Key\` is done once.

${legend()}

| operation | ${TITLES.join(' | ')} | kind |
| --- | ${TITLES.map(() => '---').join(' | ')} | --- |
${rowsOf(OPERATIONS)}
${rowsOf(PUBLISHED)}

Why: a call of the kind

${reasons()}

A word behind an operation is a case of it. \`immediate\` is a reschedule to now, also in a bulk.
`;
