import { silent } from '@retrigger/ports/observer.ts';
import { load } from './load.ts';
import { logOptions, openLog, recorder } from './open-log.ts';
import { cluster } from './servers.ts';

let t0 = Date.now();
const recent: string[] = [];
const observer = {
  ...silent,
  log(l: string, m: string, f: any) {
    const line = `${Date.now() - t0} ${l} ${m} ${JSON.stringify(f).slice(0, 300)}`;
    if (l !== 'debug') console.log(line);
    recent.push(line);
    if (recent.length > 60) recent.shift();
  },
};
const log = await openLog(await logOptions({ work: 8 }, { observer }));
const h = recorder();
await log.consume('work', 'g', h);
const l = load(log);
while (h.records.length < 500) await new Promise((r) => setTimeout(r, 10));
for (let round = 0; round < 6; round++) {
  t0 = Date.now();
  await cluster(round % 2 ? 'kill' : 'stop', 'kafka');
  console.log('reachable', await log.reachable());
  await cluster('start', 'kafka');
  console.log(`round ${round}: started at ${Date.now() - t0}`);
  const a = l.acknowledged.size,
    n = h.records.length;
  let shown = 0;
  while (l.acknowledged.size < a + 50 || h.records.length < n + 50) {
    await new Promise((r) => setTimeout(r, 10));
    if (Date.now() - t0 > 40000 + shown * 10000) {
      shown++;
      console.log('STUCK', Date.now() - t0, 'acks', l.acknowledged.size - a, 'records', h.records.length - n, log.unhealthy());
      if (shown === 1) console.log(recent.join('\n'));
      if (shown > 3) process.exit(1);
    }
  }
  for (let k = 0; ; k++) {
    const t = Date.now();
    const lag = await Promise.race([log.lag('work', 'g').catch((e) => e.message), new Promise((r) => setTimeout(r, 5000, 'lag hangs'))]);
    const re = await log.reachable();
    console.log('lag', lag, 'reachable', re, Date.now() - t);
    if (lag !== 'lag hangs' && re) break;
    if (k > 5) {
      console.log(recent.join('\n'));
      process.exit(1);
    }
  }
  console.log(`round ${round}: again at ${Date.now() - t0}`, h.told.length, log.unhealthy());
}
await l.stop();
await log.close();
