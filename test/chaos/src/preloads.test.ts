import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';

const preload = (file: string) => ['--import', pathToFileURL(join(import.meta.dirname, file)).href];

async function run(file: string, script: string, env: { [name: string]: string }): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [...preload(file), '-e', script], { env: { ...process.env, ...env } });
  return stdout.trim();
}

test('a redirected process reaches the proxy when it means the server, however it connects', async () => {
  const proxy = createServer((_, response) => response.end('by the proxy')).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  onTestFinished(() => void proxy.close());
  const ways = JSON.stringify({ '127.0.0.1:20001': `127.0.0.1:${(proxy.address() as AddressInfo).port}` });
  const asked = "'GET / HTTP/1.0\\r\\n\\r\\n'";
  const heard = '.on("data", (text) => String(text).includes("by the proxy") && process.stdout.write("yes "))';
  const script = `const net = require('node:net');
    net.connect(20001, '127.0.0.1')${heard}.write(${asked});
    net.connect({ port: 20001, host: '127.0.0.1' })${heard}.write(${asked});
    new net.Socket().connect(20001, '127.0.0.1')${heard}.write(${asked});
    new net.Socket().connect({ port: 20001, host: '127.0.0.1' })${heard}.write(${asked});
    fetch('http://127.0.0.1:20001', { headers: { connection: 'close' } }).then((r) => r.text()).then((text) => text.includes('by the proxy') && process.stdout.write('yes '));`;
  expect(await run('redirect.ts', script, { CHAOS_WAYS: ways })).toBe('yes yes yes yes yes');
});

test("a process's calendar jumps, by every way to ask for it, when its file says so", async () => {
  const folder = mkdtempSync(join(tmpdir(), 'retrigger-clock-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'clock');
  writeFileSync(file, '0');
  const script = `const before = Date.now();
    require('node:fs').writeFileSync(${JSON.stringify(file)}, '-300000');
    const look = setInterval(() => {
      if (Date.now() > before) return;
      clearInterval(look);
      console.log([Date.now(), +new Date(), Date.parse(new Date().toISOString())].map((at) => Math.round((at - before) / 60_000)).join(), new Date(7) - 0, new Date() instanceof Date);
    }, 10);`;
  expect(await run('jumping-clock.ts', script, { CHAOS_CLOCK: file })).toBe('-5,-5,-5 7 true');
});
