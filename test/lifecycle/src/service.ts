// A process for run.test.ts: node service.ts KIND
import { type Composed, run } from '@retrigger/lifecycle/run.ts';
import { silent } from '@retrigger/ports/observer.ts';

const alive = setInterval(() => {}, 1_000);
let stops = 0;

const KINDS: { [kind: string]: () => Promise<Composed> } = {
  starts: async () => ({
    kind: 'started',
    async stop() {
      console.log(`stop ${++stops}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
      clearInterval(alive);
    },
  }),
  cannot_start: async () => ({ kind: 'cannot_start', message: 'PORT is "x"; it must be\na whole number' }),
  throws: async () => {
    throw new Error('a bug in the start');
  },
  hangs: async () => ({ kind: 'started', stop: () => new Promise(() => {}) }),
  fails_to_stop: async () => ({ kind: 'started', stop: () => Promise.reject(new Error('a bug in the stop')) }),
  rejects: async () => {
    setTimeout(() => void Promise.reject(new Error('nobody caught this')), 10);
    return {
      kind: 'started',
      stop: async () => {},
      observer: { ...silent, log: (level, message, fields) => console.log(level, message, fields?.error) },
    };
  },
  never_starts: () => {
    console.log('starting');
    return new Promise(() => {});
  },
  starts_slowly: async () => {
    console.log('starting');
    await new Promise((resolve) => setTimeout(resolve, 300));
    return { kind: 'started', stop: async () => console.log('stopped') };
  },
};

const compose = KINDS[process.argv[2] ?? ''];
if (compose === undefined) throw new Error(`no such kind: ${process.argv[2]}`);
await run(compose, { stopWithinMs: 1_000, endsWithParent: process.argv[3] === 'ends-with-parent' });
console.log('running');
