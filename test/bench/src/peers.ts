// npm run bench:peers [-- --systems retrigger,bullmq-always --works throughput,latency --runs 3 --count 10000 --rate 200 --seconds 20 --out results.jsonl]
// npm run bench:peers -- --report results.jsonl
// Retrigger over HTTP beside what people would pick instead, on the same work. Inside a run the systems take turns, so that what the machine does besides meets all of them.
// Each system and work has a process and servers of its own; a line is added to --out for each, so that several calls can make one report.
import { fork } from 'node:child_process';
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { machine } from './machine.ts';
import { type Measured, report } from './peers-report.ts';
import { installPeers, PEERS } from './systems/peer-library.ts';
import { SYSTEMS } from './systems/registry.ts';
import { missingFor } from './systems/servers.ts';
import { WORKS } from './works/registry.ts';

const { values } = parseArgs({
  options: {
    systems: { type: 'string', default: Object.keys(SYSTEMS).join() },
    works: { type: 'string', default: Object.keys(WORKS).join() },
    runs: { type: 'string', default: '3' },
    count: { type: 'string', default: '10000' },
    rate: { type: 'string', default: '200' },
    seconds: { type: 'string', default: '20' },
    out: { type: 'string' },
    report: { type: 'string' },
  },
});
const sizes = { count: Number(values.count), rate: Number(values.rate), seconds: Number(values.seconds) };
const LONGEST_MS = 240_000;

if (values.report === undefined) process.stdout.write(report(await measureAll()));
else
  process.stdout.write(
    report(
      readFileSync(values.report, 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ),
  );

async function measureAll(): Promise<Measured[]> {
  const systems = presentOf(values.systems.split(','));
  const measured: Measured[] = [];
  for (const work of values.works.split(',')) {
    for (let run = 0; run < Number(values.runs); run++) {
      for (let turn = 0; turn < systems.length; turn++) {
        const system = systems[(turn + run) % systems.length] ?? '';
        const result = { run: run + 1, work, system, at: new Date().toISOString(), on: machine(), sizes, ...(await one(system, work)) };
        measured.push(result);
        if (values.out !== undefined) appendFileSync(values.out, `${JSON.stringify(result)}\n`);
        process.stderr.write(
          `${work} run ${run + 1} ${system}: ${JSON.stringify(result.figures ?? result.error)} ${JSON.stringify(result.machine)}\n`,
        );
      }
    }
  }
  return measured;
}

/** Says what is left out, and what would have to be there. */
function presentOf(wanted: string[]): string[] {
  const unknown = wanted.find((name) => SYSTEMS[name] === undefined);
  if (unknown !== undefined) throw new Error(`no system ${unknown}; there are ${Object.keys(SYSTEMS).join(', ')}`);
  const present = wanted.filter((name) => {
    const { needs } = SYSTEMS[name] ?? {};
    const missing = needs === undefined ? undefined : missingFor(needs);
    if (missing !== undefined) process.stderr.write(`${name} is left out: it needs ${missing}\n`);
    return missing === undefined;
  });
  if (!present.some((name) => SYSTEMS[name]?.needs !== undefined)) return present;
  try {
    installPeers();
    return present;
  } catch (error) {
    process.stderr.write(`the peers are left out: npm could not install them in ${PEERS} (${error})\n`);
    return present.filter((name) => SYSTEMS[name]?.needs === undefined);
  }
}

function one(system: string, work: string): Promise<Pick<Measured, 'about' | 'figures' | 'machine' | 'error'>> {
  const child = fork(join(import.meta.dirname, 'peers-child.ts'), [system, work, JSON.stringify(sizes)], {
    execArgv: ['--disable-warning=ExperimentalWarning'],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let complaint = '';
  child.stderr?.setEncoding('utf8').on('data', (text) => {
    complaint = (complaint + text).slice(-1_000);
  });
  const timer = setTimeout(() => child.kill('SIGTERM'), LONGEST_MS);
  return new Promise((resolve) => {
    let result: Pick<Measured, 'about' | 'figures' | 'machine' | 'error'> = {};
    child.on('message', (told: object) => {
      result = told;
    });
    child.on('exit', (code) => {
      clearTimeout(timer);
      resolve(result.figures === undefined ? { error: `ended with ${code}: ${complaint}` } : result);
    });
  });
}
