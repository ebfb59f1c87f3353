import type { GatewayDeps } from '@retrigger/gateway/deps.ts';
import { beforeEach, describe, expect, test } from 'vitest';
import { CONTRACT, pathOf } from './contract-calls.ts';
import { type Door, startDoor } from './door.ts';

/** The calls of the contract that name something in their path. */
const NAMING = Object.keys(CONTRACT).filter((call) => call.includes('{') && call.includes('/api/'));
const PORTS = ['log', 'receipts', 'events', 'snapshots', 'documents', 'limiter'] as const;

/** The same ports, telling of every call. */
function watched(deps: GatewayDeps, tell: (call: string) => void): GatewayDeps {
  const watch = <P extends object>(name: string, port: P): P =>
    new Proxy(port, {
      get(target, method) {
        const member: unknown = Reflect.get(target, method);
        if (typeof member !== 'function') return member;
        return (...given: unknown[]) => {
          tell(`${name}.${String(method)}`);
          return member.apply(target, given);
        };
      },
    });
  return { ...deps, ...Object.fromEntries(PORTS.map((name) => [name, watch(name, deps[name])])) };
}

describe('what a caller asks about another tenant’s', () => {
  let door: Door;
  let calls: string[];
  let keyId: string;
  beforeEach(async () => {
    calls = [];
    door = startDoor({ wrap: (deps) => watched(deps, (call) => calls.push(call)) });
    door.seed('default', 't', ['TaskCreated', 'TaskTriggered']);
    keyId = (await door.post('/api/v1/api-keys', { userId: 'ann', roles: ['viewer'] })).json.data.id;
  });

  /** What the ports are asked, and the status. */
  async function traceOf(call: string, path: string): Promise<{ status: number; calls: string[] }> {
    calls = [];
    const { body } = CONTRACT[call] ?? {};
    const { status } = await door.ask(path, { method: call.split(' ')[0] ?? '', as: 'stranger', ...(body === undefined ? {} : { body }) });
    return { status, calls };
  }

  // What takes the same steps takes the same time; `npm run bench:isolation` measures it.
  test.each(NAMING)('%s takes the same steps as about something that never existed', async (call) => {
    const isKey = call.includes('/api-keys/');
    const theirs = pathOf(call, isKey ? keyId : 't');
    const nothing = pathOf(call, isKey ? 'key_nothing' : 'x').replace('/t.', '/x.');
    expect(theirs).not.toBe(nothing);
    const [about, ofNothing] = [await traceOf(call, theirs), await traceOf(call, nothing)];
    expect(about).toEqual(ofNothing);
    expect([call, about.calls.length > 0]).toEqual([call, true]);
  });
});
