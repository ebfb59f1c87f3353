import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { lockDataFolder } from '@retrigger/sqlite/data-folder-lock.ts';
import { describe, expect, onTestFinished, test } from 'vitest';
import { temporaryFolder } from './temporary-folder.ts';

const HOLDER = fileURLToPath(new URL('./hold-data-folder.ts', import.meta.url));

async function holder(folder: string): Promise<{ said: string; errors: string; child: ChildProcess }> {
  const child = spawn(process.execPath, ['--expose-gc', '--disable-warning=ExperimentalWarning', HOLDER, folder], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
  });
  const [said] = await once(child.stdout, 'data');
  return { said: String(said).trim(), errors, child };
}

describe('the lock of a data folder', () => {
  test('one process holds a folder; a second one is told, without a stack trace (F1)', async () => {
    const folder = join(temporaryFolder(), 'made', 'on the way');
    const first = await holder(folder);
    expect(first.said).toBe('locked');
    expect(lockDataFolder(folder)).toEqual({ kind: 'taken' });
    expect(await holder(folder)).toMatchObject({ said: 'taken', errors: '' });
  });

  test('the lock dies with its process, killed or not (F2)', async () => {
    const folder = temporaryFolder();
    const { child } = await holder(folder);
    const ended = once(child, 'close');
    child.kill('SIGKILL');
    await ended;
    const next = lockDataFolder(folder);
    expect(next.kind).toBe('locked');
    if (next.kind === 'locked') next.release();
  });

  test('a process can not take it twice, and can take it again after its release', () => {
    const folder = temporaryFolder();
    const first = lockDataFolder(folder);
    expect(lockDataFolder(folder)).toEqual({ kind: 'taken' });
    if (first.kind === 'locked') first.release();
    const again = lockDataFolder(folder);
    expect(again.kind).toBe('locked');
    if (again.kind === 'locked') again.release();
  });

  test('a folder that is made is its owner’s alone', () => {
    const folder = join(temporaryFolder(), 'made');
    const lock = lockDataFolder(folder);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    if (lock.kind === 'locked') lock.release();
  });

  test('a folder that can not be written is told with its reason', () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'file'), '');
    expect(lockDataFolder(join(folder, 'file', 'below'))).toEqual({ kind: 'unwritable', reason: expect.stringContaining('ENOTDIR') });
    mkdirSync(join(folder, 'odd', 'lock.db'), { recursive: true });
    expect(lockDataFolder(join(folder, 'odd'))).toMatchObject({ kind: 'unwritable' });
  });

  test('folders above it that are missing are made too; where none can be made, that is told', () => {
    const lock = lockDataFolder(join(temporaryFolder(), 'a', 'b', 'c'));
    expect(lock.kind).toBe('locked');
    if (lock.kind === 'locked') lock.release();
    expect(lockDataFolder('/proc/nowhere/data')).toEqual({ kind: 'unwritable', reason: expect.stringContaining('/proc') });
  });
});
