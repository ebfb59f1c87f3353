import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { chainOf, FORMATS } from './exported.ts';

const MAIN = fileURLToPath(import.meta.resolve('@retrigger/verifier/main.ts'));
const folder = mkdtempSync(join(tmpdir(), 'retrigger-verify-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function verify(lines: string[] | null, ...more: string[]) {
  const file = join(folder, lines === null ? 'missing' : 'export');
  if (lines !== null) writeFileSync(file, lines.join(''));
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', MAIN, ...more, file], {
    encoding: 'utf8',
  });
  return { status, output: (stdout + stderr).replaceAll(folder, '') };
}

const lines = FORMATS['JSON Lines']?.(chainOf('deploy', 4)) ?? [];

test('a whole export ends with 0, and says what a file can not show', () => {
  const { status, output } = verify(lines);
  expect(status).toBe(0);
  expect(output).toMatch(/^OK \/export: 4 events of 1 task, every chain whole/);
  expect(output).toContain('Whether others followed is not in a file');
});

test('a broken one ends with 1, and names line, task, sequence and reason', () => {
  const { status, output } = verify(lines.with(2, lines[2]?.replace('"ann"', '"bob"') ?? ''));
  expect([status, output]).toEqual([1, 'BROKEN /export:3: task acme/deploy, sequence 3: hash does not match the content\n']);
});

test('a filtered one is told apart, and its gaps are not vouched for', () => {
  expect(verify(lines.toSpliced(1, 1))).toMatchObject({ status: 1, output: expect.stringContaining('--filtered') });
  const { status, output } = verify(lines.toSpliced(1, 1), '--filtered');
  expect(status).toBe(0);
  expect(output).toContain("Gaps (1) can't be checked");
});

test('what can not be read, or asked, ends with 2', () => {
  expect(verify(null)).toMatchObject({ status: 2, output: expect.stringContaining('/missing can not be read') });
  expect(verify(lines, '--deep')).toMatchObject({ status: 2, output: expect.stringContaining('usage: ') });
});
