// npm run verify -- [--filtered] FILE
// Checks an export (JSON Lines or CSV) offline and without a key: 0 = every chain is whole, 1 = broken, and where, 2 = the file can't be read.
import { createReadStream } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { reportOf } from './report.ts';
import { verifyExport } from './verify-export.ts';

const USAGE = 'usage: npm run verify -- [--filtered] FILE   (an export as JSON Lines or CSV, oldest first)';
const UNREADABLE = 2;

function argumentsOf(): { file: string; isFiltered: boolean } | undefined {
  try {
    const { values, positionals } = parseArgs({ options: { filtered: { type: 'boolean', default: false } }, allowPositionals: true });
    const [file, ...more] = positionals;
    return file === undefined || more.length > 0 ? undefined : { file, isFiltered: values.filtered };
  } catch {
    return undefined;
  }
}

const asked = argumentsOf();
if (asked === undefined) {
  process.stderr.write(`${USAGE}\n`);
  process.exitCode = UNREADABLE;
} else {
  try {
    const verdict = await verifyExport(createReadStream(resolve(process.env.INIT_CWD ?? '', asked.file)), asked.isFiltered);
    process.stdout.write(`${reportOf(asked.file, verdict, asked.isFiltered)}\n`);
    process.exitCode = verdict.kind === 'whole' ? 0 : 1;
  } catch (error) {
    process.stderr.write(`${asked.file} can not be read: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = UNREADABLE;
  }
}
