import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { firstBreak } from '@retrigger/domain/event-hash.ts';
import { archivedOf, saveArchived } from '@retrigger/engine/archived-events.ts';
import { restoreArchive } from '@retrigger/engine/restore-events.ts';
import { archivedLines, folderArchive } from '@retrigger/files/folder-archive.ts';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { ArchiveWorld } from './archive-world.ts';

const linesOf = (lines: string[]) =>
  async function* () {
    yield* lines;
  };

describe('archiving', () => {
  let world: ArchiveWorld;
  beforeEach(() => {
    world = new ArchiveWorld();
  });
  const restore = (file: string[] = []) => restoreArchive(world, linesOf(file));
  const files = (): string[][] => [...world.files.values()];

  test('moves what is older than the bound, and remembers where the chain goes on (V3)', async () => {
    const [a, b] = [await world.live('a', 20), await world.live('b', 3)];
    expect(await world.archive(10, 20)).toBe(12); // of b all but the last
    expect([await world.sequences(a), await world.sequences(b)]).toEqual([[11, 12, 13, 14, 15, 16, 17, 18, 19, 20], [3]]);
    const archived = await archivedOf(world.documents, a);
    expect(archived).toMatchObject({ last: 10, state: { context: { day: 9 } } });
    const left = (await world.stored(a)).map(({ event }) => event);
    expect(firstBreak(left, archived.last + 1, archived.hash)).toBeUndefined();
    expect(await world.archive(10, 20)).toBe(0);
  });

  test('what is younger than two days stays, whatever the bound, and so does the last event of a task', async () => {
    const [young, old] = [await world.live('young', 20), await world.live('old', 1)];
    await world.archive(0, 20);
    expect([(await world.sequences(young))[0], await world.sequences(old)]).toEqual([19, [1]]);
  });

  test.each(['write', 'remember', 'remove'])('dies at %s: no event is nowhere, and the next time does the rest (V4)', async (place) => {
    const keys = [await world.live('a', 20), await world.live('b', 20)];
    for (const nth of [1, 2]) {
      let left = nth;
      world.step = (name) => {
        if (name === place && --left === 0) throw new Error('killed');
      };
      await world.archive(10, 20).catch(() => {});
      for (const key of keys) {
        const gone = ((await world.sequences(key))[0] ?? 0) - 1;
        const archivedText = files().flat().join('\n');
        for (let sequence = 1; sequence <= gone; sequence++) expect(archivedText).toContain(`"sequence":${sequence},`);
      }
    }
    world.step = () => {};
    await world.archive(10, 20);
    for (const key of keys) {
      expect((await world.sequences(key))[0]).toBe(11);
      const { last, hash } = await archivedOf(world.documents, key);
      expect(
        firstBreak(
          (await world.stored(key)).map(({ event }) => event),
          last + 1,
          hash,
        ),
      ).toBeUndefined();
    }
  });

  test('a chain that is broken goes as far as it holds, and no further (V5)', async () => {
    const key = await world.live('a', 20);
    const { page } = world.ports.events;
    world.ports.events.page = async (...asked) =>
      (await page(...asked)).map((stored) =>
        stored.event.sequence === 5 ? { ...stored, event: { ...stored.event, commandId: 'forged' } } : stored,
      );
    await world.archive(10, 20);
    expect((await world.sequences(key))[0]).toBe(5);
  });

  test('of two that archive at once, the one who has got further is remembered', async () => {
    const at = (last: number) => ({ last, hash: String(last), at: '', state: null });
    for (const last of [5, 10, 7]) await saveArchived(world.documents, 'acme/a', at(last));
    expect((await archivedOf(world.documents, 'acme/a')).last).toBe(10);
  });

  test('an archive is put back byte for byte, the youngest first; twice changes nothing (V6)', async () => {
    const key = await world.live('a', 30);
    const before = (await world.stored(key)).map(({ json, position }) => ({ json, position }));
    await world.archive(20, 30);
    await world.archive(10, 30);
    const [older, younger] = files();
    expect(await restore(older)).toMatchObject({ kind: 'refused', reason: 'the archive that ends with event 20 comes first' });
    expect((await world.sequences(key))[0]).toBe(21);
    expect(await restore(younger)).toEqual({ kind: 'restored', streams: 1, events: 10 });
    expect(await archivedOf(world.documents, key)).toMatchObject({ last: 10, state: { context: { day: 9 } } });
    expect((await restore(younger)).kind).toBe('restored');
    expect((await restore(older)).kind).toBe('restored');
    expect((await world.stored(key)).map(({ json, position }) => ({ json, position }))).toEqual(before);
    expect((await archivedOf(world.documents, key)).last).toBe(0);
  });

  test.each<[string, (lines: string[]) => string[]]>([
    ['an event changed', (lines) => lines.map((line, i) => (i === 3 ? line.replace('"ada"', '"eve"') : line))],
    ['an event taken out', (lines) => lines.filter((_, i) => i !== 3)],
    ['two events in another order', (lines) => [...lines.slice(0, 3), lines[4] ?? '', lines[3] ?? '', ...lines.slice(5)]],
    ['its end cut off', (lines) => lines.slice(0, -1)],
    ['another end', (lines) => lines.map((line) => line.replace('"last":10', '"last":9'))],
    ['something else in it', (lines) => [...lines.slice(0, 3), 'hello', ...lines.slice(3)]],
    ['an event before its beginning', (lines) => lines.slice(1)],
  ])('a file with %s is refused, and nothing of it is written (V7)', async (_, change) => {
    const key = await world.live('a', 20);
    await world.archive(10, 20);
    expect((await restore(change(files()[0] ?? []))).kind).toBe('refused');
    expect((await world.sequences(key))[0]).toBe(11);
  });
});

describe('a folder of archives', () => {
  const folder = (): string => {
    const made = mkdtempSync(join(tmpdir(), 'retrigger-archive-'));
    onTestFinished(() => rmSync(made, { recursive: true, force: true }));
    return made;
  };
  const read = async (path: string): Promise<string[]> => {
    const lines: string[] = [];
    for await (const line of archivedLines(path)) lines.push(line);
    return lines;
  };

  test('a file is compressed, comes back line by line, and replaces one of the same name', async () => {
    const place = folder();
    const lines = Array.from({ length: 10_000 }, (_, i) => `{"line":${i},"text":"größer"}`);
    await folderArchive(place).write('tenant-a/x.gz', linesOf(['old'])());
    await folderArchive(place).write('tenant-a/x.gz', linesOf(lines)());
    expect(await read(join(place, 'tenant-a/x.gz'))).toEqual(lines);
    expect(readFileSync(join(place, 'tenant-a/x.gz')).length).toBeLessThan(100_000);
  });

  test('a file that could not be finished is not there (V2)', async () => {
    const place = folder();
    const failing = async function* () {
      yield 'a line';
      throw new Error('no more');
    };
    await expect(folderArchive(place).write('tenant-a/x.gz', failing())).rejects.toThrow('no more');
    expect(readdirSync(join(place, 'tenant-a'))).toEqual([]);
  });

  test('a file that is cut off, or none, is an error', async () => {
    const place = folder();
    await folderArchive(place).write('x.gz', linesOf(Array.from({ length: 1_000 }, () => Math.random().toString()))());
    writeFileSync(join(place, 'cut.gz'), readFileSync(join(place, 'x.gz')).subarray(0, 2_000));
    await expect(read(join(place, 'cut.gz'))).rejects.toThrow();
    writeFileSync(join(place, 'text.gz'), 'hello');
    await expect(read(join(place, 'text.gz'))).rejects.toThrow();
    await expect(read(join(place, 'none.gz'))).rejects.toThrow();
  });
});
