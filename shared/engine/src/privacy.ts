import type { SnapshotStore } from '@retrigger/ports/snapshot-store.ts';
import { Disclosure } from './disclosure.ts';
import { KeyRing, type KeyRingPorts } from './key-ring.ts';
import { CommandSealing } from './seal-command.ts';

/** What keeps personal data out of everything that is only ever added to: tokens for names, seals for what sensitive tasks hold, and the way back for readers. */
export type Privacy = { ring: KeyRing; sealing: CommandSealing; disclosure: Disclosure };

export function createPrivacy(ports: KeyRingPorts & { snapshots: Pick<SnapshotStore, 'load'> }): Privacy {
  const ring = new KeyRing(ports);
  return { ring, sealing: new CommandSealing(ring, ports.snapshots), disclosure: new Disclosure(ring) };
}
