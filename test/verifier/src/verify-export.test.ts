import { readCsvLine } from '@retrigger/contract/event-csv.ts';
import { verifyExport } from '@retrigger/verifier/verify-export.ts';
import { describe, expect, test } from 'vitest';
import { chainOf, FORMATS, inPieces, interleaved } from './exported.ts';

const events = interleaved([chainOf('a', 9), chainOf('b', 5), chainOf('c', 1)]);
const verify = (lines: string[], isFiltered = false) => verifyExport(inPieces(Buffer.from(lines.join(''))), isFiltered);
const lineOf = (text: string) => text.split('\n').length;

describe.each(Object.entries(FORMATS))('an export as %s', (format, linesOf) => {
  const lines = linesOf(events);
  const names = format === 'CSV' ? 1 : 0;
  /** Where the event stands in the file, counted as an editor does. */
  const at = (index: number) => lineOf(lines.slice(0, index + names).join(''));

  test('is whole when every chain is, its tasks interleaved', async () => {
    expect(await verify(lines)).toEqual({ kind: 'whole', events: 15, tasks: 3, gaps: 0 });
    expect(await verify(linesOf([]))).toEqual({ kind: 'whole', events: 0, tasks: 0, gaps: 0 });
  });

  test('with a byte that has flipped, wherever it stands, is broken in that line (E1)', async () => {
    const bytes = Buffer.from(linesOf(interleaved([chainOf('a', 2), chainOf('b', 1)])).join(''));
    let line = 1;
    for (let i = 0; i < bytes.length - 1; i++) {
      const flipped = Buffer.from(bytes);
      flipped[i] = (flipped[i] ?? 0) ^ 0x01;
      const verdict = await verifyExport(inPieces(flipped, 65_536), false);
      expect([i, verdict.kind, 'line' in verdict && verdict.line <= line]).toEqual([i, 'broken', true]);
      if (bytes[i] === 0x0a) line++;
    }
  });

  test.each([
    ['left out', (all: string[], i: number) => all.toSpliced(i, 1), 'expected sequence 3, found 4'],
    ['repeated', (all: string[], i: number) => all.toSpliced(i, 0, all[i] ?? ''), 'expected sequence 4, found 3'],
    [
      'exchanged with the next of its task',
      (all: string[], i: number) => all.with(i, all[i + 2] ?? '').with(i + 2, all[i] ?? ''),
      'expected sequence 3, found 4',
    ],
  ])('with an event %s is broken there, and says which task and sequence (E1)', async (_, change, reason) => {
    const third = events.findIndex(({ event }) => event.taskId === 'a' && event.sequence === 3);
    const verdict = await verify(change(lines, third + names));
    expect(verdict).toMatchObject({ kind: 'broken', task: 'acme/a', reason });
  });

  test('with an event written by somebody else, its own hash right, is broken at the next (E1)', async () => {
    const [other] = chainOf('a', 3).slice(2);
    const forged = linesOf([{ ...other, ...chainOf('x', 3)[2] } as never])[names] ?? '';
    const third = events.findIndex(({ event }) => event.taskId === 'a' && event.sequence === 3);
    expect(await verify(lines.with(third + names, forged))).toMatchObject({ kind: 'broken', line: at(third), task: 'acme/x', sequence: 3 });
  });

  test('that was filtered has gaps, which are counted and no fault; what is there is checked (E2)', async () => {
    const some = events.filter(({ event }) => event.sequence % 4 !== 2);
    expect((await verify(linesOf(some))).kind).toBe('broken');
    expect(await verify(linesOf(some), true)).toEqual({ kind: 'whole', events: 12, tasks: 3, gaps: 3 });
    const tampered = linesOf(some).map((line) => line.replace('command-7', 'command-8'));
    expect(await verify(tampered, true)).toMatchObject({
      kind: 'broken',
      task: 'acme/a',
      sequence: 7,
      reason: 'hash does not match the content',
    });
    const swapped = linesOf(some.toReversed());
    expect(await verify(swapped, true)).toMatchObject({ kind: 'broken' });
  });
});

test('a line of CSV says all that the event says (V3)', () => {
  for (const { event } of events) expect(readCsvLine(FORMATS.CSV?.([{ event, json: '' }])[1] ?? '')).toEqual({ kind: 'event', event });
});
