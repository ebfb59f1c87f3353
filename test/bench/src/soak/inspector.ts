/** What a process takes, asked from outside. `heapMiB`: after its garbage is collected. `descriptors` is null where the system does not tell. */
export type Taken = { rssMiB: number; heapMiB: number; resources: number; descriptors: number | null };

export type Inspected = {
  look(): Promise<Taken>;
  /** Makes the process keep so many KiB, and a file, more every second, which a soak must find. */
  plantLeak(kibPerSecond: number): Promise<void>;
  close(): void;
};

const LOOK = `(() => {
  const { rss, heapUsed } = process.memoryUsage();
  let descriptors = null;
  try { descriptors = process.getBuiltinModule('node:fs').readdirSync('/proc/self/fd').length; } catch {}
  return JSON.stringify({ rss, heapUsed, descriptors, resources: process.getActiveResourcesInfo().length });
})()`;

/** Of a process that was started with `--inspect=127.0.0.1:0`, by the address that it printed. */
export async function inspect(address: string): Promise<Inspected> {
  const socket = new WebSocket(address);
  const waiting = new Map<number, (result: { result?: { value: string } }) => void>();
  socket.addEventListener('message', ({ data }) => {
    const { id, result } = JSON.parse(String(data));
    waiting.get(id)?.(result);
    waiting.delete(id);
  });
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve);
    socket.addEventListener('error', () => reject(new Error(`no inspector at ${address}`)));
  });
  let last = 0;
  const ask = (method: string, params: object = {}) =>
    new Promise<{ result?: { value: string } }>((resolve) => {
      waiting.set(++last, resolve);
      socket.send(JSON.stringify({ id: last, method, params }));
    });
  return {
    async look() {
      await ask('HeapProfiler.collectGarbage');
      const { rss, heapUsed, descriptors, resources } = JSON.parse(
        (await ask('Runtime.evaluate', { expression: LOOK })).result?.value ?? '{}',
      );
      return { rssMiB: rss / 2 ** 20, heapMiB: heapUsed / 2 ** 20, resources, descriptors };
    },
    async plantLeak(kibPerSecond) {
      const expression = `globalThis.leaked = []; setInterval(() => leaked.push(Array.from({ length: ${kibPerSecond * 128} }, () => Math.random()), process.getBuiltinModule('node:fs').openSync('/dev/null')), 1000).unref(); ''`;
      await ask('Runtime.evaluate', { expression });
    },
    close: () => socket.close(),
  };
}
