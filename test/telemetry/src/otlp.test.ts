import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startTelemetry } from '@retrigger/telemetry/telemetry.ts';
import { afterEach, expect, test, vi } from 'vitest';
import { collectLines } from './lines.ts';

afterEach(() => vi.unstubAllEnvs());

const lines = collectLines();

const start = (endpoint: string) => {
  vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', endpoint);
  return startTelemetry({ service: 'test', version: '0.0.0', logLevel: 'info', exportSpans: true, logTo: lines });
};

test('spans reach the OTLP endpoint, the last ones at the stop', async () => {
  const paths: string[] = [];
  const bodies: Buffer[] = [];
  const server = createServer((request, response) => {
    paths.push(request.url ?? '');
    request.on('data', (chunk) => bodies.push(chunk)).on('end', () => response.end());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const telemetry = await start(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  await telemetry.observer.span('call target', undefined, {}, async () => {});
  await telemetry.stop();
  expect(paths).toEqual(['/v1/traces']);
  expect(Buffer.concat(bodies).includes('call target')).toBe(true);
  server.closeAllConnections();
  server.close();
});

test('a stop says that the endpoint is away and ends all the same', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  const telemetry = await start(`http://127.0.0.1:${port}`);
  await telemetry.observer.span('call target', undefined, {}, async () => {});
  const startedAt = performance.now();
  await telemetry.stop();
  expect(performance.now() - startedAt).toBeLessThan(4_000);
  expect(lines.last()).toMatchObject({ level: 'warn', msg: 'the last spans could not be sent' });
});
