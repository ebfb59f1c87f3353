// npm run bench:notifications [-- --rate 100 --seconds 10 --runs 3]
// How long an event takes to reach a healthy subscriber: alone, and while another one hangs. The two are measured in turn, each on a fresh installation.
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { closedLoop, median, now, openLoop, type Percentiles, percentiles } from './load.ts';
import { STANDALONE, type Subject, startSubject } from './subject.ts';

const IN_FLIGHT = 32;
const WARM_UP = 500;
const LONGEST_MS = 120_000;

const { values } = parseArgs({
  options: {
    rate: { type: 'string', default: '100' },
    seconds: { type: 'string', default: '10' },
    runs: { type: 'string', default: '3' },
    out: { type: 'string' },
  },
});
const [rate, count, runs] = [Number(values.rate), Number(values.rate) * Number(values.seconds), Number(values.runs)];

/** A receiver that says when it heard of which task, or never answers. */
async function startReceiver(hangs: boolean, heard: (taskId: string, at: number) => void) {
  const server = createServer((request, response) => {
    const at = now();
    let body = '';
    request.setEncoding('utf8').on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      heard(/"taskId":"([^"]+)"/.exec(body)?.[1] ?? '', at);
      if (!hangs) response.writeHead(204).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}

async function must(status: number, reply: Promise<{ status: number; text: string }>): Promise<void> {
  const { status: given, text } = await reply;
  if (given !== status) throw new Error(`${given}: ${text}`);
}

const create = (subject: Subject, name: string, many: number) =>
  closedLoop(many, IN_FLIGHT, (i) => must(201, subject.post('/api/v1/tasks', JSON.stringify({ taskId: `${name}-${i}`, type: 'bench' }))));
const trigger = (subject: Subject, taskId: string) => must(202, subject.post(`/api/v1/tasks/${taskId}/trigger`, '{}'));
const subscribe = (subject: Subject, url: string) =>
  must(201, subject.post('/api/v1/subscriptions', JSON.stringify({ channel: 'webhook', url, events: ['TaskTriggered'] })));

async function until(what: string, isSo: () => boolean): Promise<void> {
  for (const end = now() + LONGEST_MS; !isSo(); ) {
    if (now() > end) throw new Error(`not within ${LONGEST_MS} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Milliseconds from when a trigger was due to be sent to when the healthy subscriber heard of it. */
async function measure(withHanging: boolean): Promise<Percentiles> {
  const heardAt = new Map<string, number>();
  const well = await startReceiver(false, (taskId, at) => heardAt.has(taskId) || heardAt.set(taskId, at));
  const ill = await startReceiver(true, () => {});
  const subject = await startSubject(STANDALONE, IN_FLIGHT);
  try {
    await create(subject, 'warm', WARM_UP);
    await create(subject, 'timed', count);
    if (withHanging) await subscribe(subject, ill.url);
    await subscribe(subject, well.url);
    await closedLoop(WARM_UP, IN_FLIGHT, (i) => trigger(subject, `warm-${i}`));
    await until('the warm-up is heard', () => heardAt.size === WARM_UP);
    const startedAt = new Map<string, number>();
    await openLoop(rate, count, (i) => {
      startedAt.set(`timed-${i}`, now());
      return trigger(subject, `timed-${i}`);
    });
    await until('everything is heard', () => heardAt.size === WARM_UP + count);
    return percentiles([...startedAt].map(([taskId, at]) => (heardAt.get(taskId) ?? Number.NaN) - at));
  } finally {
    await subject.stop();
    well.stop();
    ill.stop();
  }
}

const results: { alone: Percentiles; besideHanging: Percentiles }[] = [];
for (let run = 1; run <= runs; run++) {
  process.stderr.write(`run ${run} of ${runs}\n`);
  results.push({ alone: await measure(false), besideHanging: await measure(true) });
}
const middle = (of: 'alone' | 'besideHanging', p: keyof Percentiles) => median(results.map((one) => one[of][p]));
const line = (of: 'alone' | 'besideHanging') => (['p50', 'p95', 'p99'] as const).map((p) => middle(of, p).toFixed(1)).join(' / ');
const more = Math.round(100 * (middle('besideHanging', 'p95') / middle('alone', 'p95') - 1));
process.stdout.write(
  `${cpus()[0]?.model}, ${cpus().length} cores; medians of ${runs} runs, ${rate} triggers/s for ${values.seconds} s\n\n`,
);
process.stdout.write(`trigger to healthy subscriber, alone, P50 / P95 / P99 ms            ${line('alone')}\n`);
process.stdout.write(`the same while another subscriber hangs                           ${line('besideHanging')}\n`);
process.stdout.write(`P95 beside it: ${more >= 0 ? '+' : ''}${more} %\n`);
if (values.out !== undefined) writeFileSync(values.out, JSON.stringify({ rate, count, results }, null, 2));
