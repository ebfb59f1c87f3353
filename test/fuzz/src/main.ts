// npm run test:fuzz [-- --seed 1 --examples 100]
// Schemathesis makes requests from the OpenAPI document that the running gateway serves, and checks every answer against it.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { kill, startChild } from '@retrigger/test-faults/child.ts';
import { Client } from '@retrigger/test-faults/client.ts';
import { runSchemathesis } from './schemathesis.ts';

const { values } = parseArgs({ options: { seed: { type: 'string', default: '20260101' }, examples: { type: 'string', default: '15' } } });
const KEY = 'a-key-for-requests-made-up';

/**
 * What is checked of every answer: no 500, no status, header, media type or body that is not documented, nothing accepted that the document refuses, 405 with Allow,
 * 401 without credentials. Not checked, deliberately: that whatever the document allows is accepted (`positive_data_acceptance`). Rules between fields (`from` not
 * after `to`), of moments (`at` in the past) and of keys (another request under one) are the product's, and no schema can hold them.
 */
const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
  'negative_data_rejection',
  'unsupported_method',
  'allow_header_conformance',
  'ignored_auth',
];

const folder = mkdtempSync(join(tmpdir(), 'retrigger-fuzz-'));
const service = startChild(fileURLToPath(import.meta.resolve('@retrigger/standalone/main.ts')), [], {
  PORT: '0',
  RETRIGGER_DATA_DIR: join(folder, 'data'),
  RETRIGGER_API_KEY: KEY,
  RETRIGGER_LOG_LEVEL: 'error',
  RETRIGGER_LIMIT_USER_PER_HOUR: '0',
  RETRIGGER_LIMIT_TASK_PER_HOUR: '0',
  RETRIGGER_LIMIT_SYSTEM_PER_MINUTE: '0',
});
let code = 1;
try {
  const url = await service.ready;
  writeFileSync(join(folder, 'schemathesis.toml'), `parameters = { "path.executionId" = "${await runningExecution(url)}" }\n`);
  code = await runSchemathesis(folder, [
    ...['run', `${url}/openapi.json`, '--header', `Authorization: Bearer ${KEY}`, '--checks', CHECKS.join()],
    ...['--phases', 'examples,coverage,fuzzing', '--max-examples', values.examples, '--seed', values.seed],
    // One worker: in several threads Python 3.11's `ast` fails now and then ("recursion depth mismatch").
    ...['--workers', '1', '--request-timeout', '30', '--no-shrink', '--continue-on-failure'],
    // How fast the machine makes requests up is no finding.
    ...['--suppress-health-check', 'too_slow'],
  ]);
  const broken = service.output().split('\n').slice(1).join('\n').trim();
  if (broken !== '') process.stdout.write(`The service said:\n${broken.slice(0, 10_000)}\n`);
  if (broken !== '') code = 1;
} finally {
  await kill(service);
  rmSync(folder, { recursive: true, force: true });
}
process.exit(code);

/** An execution that can be reported; no call makes one up. */
async function runningExecution(url: string): Promise<string> {
  const client = new Client(url, KEY);
  await client.send('POST', '/api/v1/tasks', { taskId: 'running', type: 'job' });
  const { text } = await client.send('POST', '/api/v1/tasks/running/trigger', {});
  return JSON.parse(text).data.executionId;
}
