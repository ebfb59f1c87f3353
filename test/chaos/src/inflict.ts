import { carryOut } from './carry-out.ts';
import type { Kind, Planned } from './plan.ts';
import type { System } from './system.ts';
import type { Way } from './tcp-proxy.ts';

/** Begins a fault; resolves with what ends it. Undefined: it can't be done here. */
type Inflict = (system: System, fault: Planned) => Promise<(() => unknown) | undefined>;

const nothing = () => {};

const onServer =
  (how: 'stop' | 'kill'): Inflict =>
  async (system, { on }) => {
    await system.cluster(how, on).catch(() => system.cluster('kill', on)); // one that does not stop is killed, as supervisors do
    return () => system.cluster('start', on);
  };

const onWay =
  (way: (fault: Planned) => Way): Inflict =>
  async (system, fault) => {
    const [service = '', server = ''] = fault.on.split(' > ');
    const proxy = system.proxy(service, server);
    proxy.way = way(fault);
    return () => {
      proxy.way = { kind: 'open' };
    };
  };

const FAULTS: { [kind in Kind]: Inflict } = {
  killed: async (system, { on, lastsMs }) => {
    system.service(on).kill(lastsMs);
    return nothing;
  },
  paused: async (system, { on }) => {
    system.service(on).pause();
    return () => system.service(on).goOn();
  },
  'clock jumps': async (system, { on, amount }) => {
    system.service(on).clockIsOff(amount);
    return () => system.service(on).clockIsOff(0);
  },
  'server stopped': onServer('stop'),
  'server killed': onServer('kill'),
  'server paused': async (system, { on }) => {
    await system.cluster('pause', on);
    return () => system.cluster('continue', on);
  },
  emptied: async (system) => {
    await system.emptyRedis().catch(nothing); // it may be down
    return nothing;
  },
  'disk full': async (system, { on }) => {
    const disk = system.disks?.of.get(on);
    if (disk === undefined) return undefined;
    disk.fill();
    return async () => {
      disk.makeRoom();
      await system.cluster('kill', on); // a server that could not write ends by itself, sooner or later
      await system.cluster('start', on);
    };
  },
  reset: async (system, { on }) => {
    const [service = '', server = ''] = on.split(' > ');
    system.proxy(service, server).reset();
    return nothing;
  },
  delayed: onWay(({ amount }) => ({ kind: 'delayed', byMs: amount })),
  'half-open': onWay(() => ({ kind: 'half-open' })),
  refused: onWay(() => ({ kind: 'refused' })),
  'cut off': async (system, { on }) => {
    const [service = '', server = ''] = on.split(' > ');
    const { cutOff } = system;
    if (cutOff === undefined) {
      system.proxy(service, server).way = { kind: 'half-open' };
      return () => {
        system.proxy(service, server).way = { kind: 'open' };
      };
    }
    await cutOff.cut(server);
    return () => cutOff.mend(server);
  },
};

/** Carries a plan out on a system; resolves when all its faults have ended, with how many there were. */
export const inflict = (system: System, plan: Planned[], say: (line: string) => void): Promise<number> =>
  carryOut(plan, (fault) => FAULTS[fault.kind](system, fault), say);
