import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Child, kill, startChild } from '@retrigger/test-faults/child.ts';
import { PrivateMounts } from '@retrigger/test-faults/small-disk.ts';
import { eventually } from '@retrigger/test-gateway/eventually.ts';
import { afterEach, beforeEach, expect, test } from 'vitest';

const OWNER = join(import.meta.dirname, 'small-disk-owner.ts');

let folder: string;
let owner: Child | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'retrigger-small-disk-'));
});
afterEach(async () => {
  if (owner !== undefined) await kill(owner);
  rmSync(folder, { recursive: true });
});

const machineHasIt = (): boolean => readFileSync('/proc/self/mountinfo', 'utf8').includes(folder);

/** The processes that see the disk. */
const whoSeesIt = (): string[] =>
  readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/mountinfo`, 'utf8').includes(folder);
    } catch {
      return false; // it has ended
    }
  });

test('a small disk gets full and has room again, and the machine never has it', async () => {
  const mounts = await PrivateMounts.make();
  try {
    const disk = await mounts.disk(folder, 2);
    const write = () => writeFileSync(join(disk.outside, 'file'), Buffer.alloc(100_000));
    write();
    disk.fill();
    writeFileSync(join(disk.outside, 'file'), '');
    disk.fill();
    expect(write).toThrow('ENOSPC');
    disk.makeRoom();
    write();
    expect(machineHasIt()).toBe(false);
  } finally {
    await mounts.end();
  }
});

test('an owner that is killed leaves neither the disk nor what was started on it', async () => {
  owner = startChild(OWNER, [folder], {}, /process (\d+)/);
  const started = await owner.ready;
  expect(whoSeesIt()).toContain(started);
  expect(whoSeesIt()).toHaveLength(2); // and who holds it
  await kill(owner);
  await eventually('nobody sees it', async () => whoSeesIt().length === 0);
  expect(machineHasIt()).toBe(false);
});
