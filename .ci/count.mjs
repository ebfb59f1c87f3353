// Reads what a run has printed and says in one line how many tests ran: Vitest's summaries, one a suite, and Schemathesis's.
// node .ci/count.mjs LOG
import { readFileSync } from 'node:fs';
import { stripVTControlCharacters } from 'node:util';

const [passed, failed] = [/\b(\d+) passed/, /\b(\d+) failed/];
const summary = /^(?:@\S+: )?\s*(?:Tests {2}|\d+ generated, )/;
const totals = { passed: 0, failed: 0 };
for (const line of stripVTControlCharacters(readFileSync(process.argv[2], 'utf8')).split('\n')) {
  if (!summary.test(line)) continue;
  totals.passed += Number(passed.exec(line)?.[1] ?? 0);
  totals.failed += Number(failed.exec(line)?.[1] ?? 0);
}
console.log(`${totals.passed} passed, ${totals.failed} failed`);
