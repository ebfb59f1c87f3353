import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export type Address = { host: string; port: number };

/**
 * How a proxy treats its connections. `half-open`: it accepts and forwards nothing, as when the machine behind it has vanished. `refused`: it ends every
 * connection at once.
 */
export type Way = { kind: 'open' } | { kind: 'delayed'; byMs: number } | { kind: 'half-open' } | { kind: 'refused' };

/** One client's connection and that to the server; `isNew`: it was made while the way was half-open, and no server knows of it. */
type Pair = { near: Socket; far: Socket | null };

/**
 * A TCP proxy in front of one server for one client.
 * P1: bytes of a connection are never lost, changed or reordered while it lives: what a fault holds back comes later, or the connection is reset. So whatever a
 * client sees through it, a network could have done.
 */
export class TcpProxy {
  readonly address: Address;
  readonly #server: ReturnType<typeof createServer>;
  readonly #to: Address;
  readonly #pairs = new Set<Pair>();
  #way: Way = { kind: 'open' };
  /** Resolves when the way changes, or a connection ends. */
  #changed = Promise.withResolvers<void>();

  static async start(to: Address, host = '127.0.0.1'): Promise<TcpProxy> {
    const server = createServer({ allowHalfOpen: true });
    server.listen(0, host);
    await once(server, 'listening');
    return new TcpProxy(server, to, { host, port: (server.address() as AddressInfo).port });
  }

  private constructor(server: ReturnType<typeof createServer>, to: Address, address: Address) {
    this.#server = server;
    this.#to = to;
    this.address = address;
    server.on('connection', (near) => this.#accept(near));
  }

  /** From now on. Connections that were accepted half-open are reset when that ends; the others go on with what was held back (P1). */
  set way(way: Way) {
    this.#way = way;
    for (const pair of this.#pairs) {
      if (way.kind === 'refused' || (pair.far === null && way.kind !== 'half-open')) this.#reset(pair);
    }
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  /** Resets every connection that there is; new ones are possible. */
  reset(): void {
    for (const pair of this.#pairs) this.#reset(pair);
  }

  async close(): Promise<void> {
    this.reset();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #accept(near: Socket): void {
    if (this.#way.kind === 'refused') return void near.on('error', () => {}).resetAndDestroy();
    const far = this.#way.kind === 'half-open' ? null : connect({ ...this.#to, allowHalfOpen: true });
    const pair: Pair = { near, far };
    this.#pairs.add(pair);
    near.on('error', () => this.#reset(pair)).on('close', () => this.#reset(pair));
    if (far === null) return;
    far.on('error', () => this.#reset(pair)).on('close', () => this.#reset(pair));
    this.#carry(near, far);
    this.#carry(far, near);
  }

  #carry(from: Socket, to: Socket): void {
    let last = Promise.resolve();
    from.on('data', (chunk: Buffer) => {
      from.pause();
      last = last.then(() => this.#pass(from, to, chunk));
    });
    from.on('end', () => {
      last = last.then(() => void to.end());
    });
  }

  async #pass(from: Socket, to: Socket, chunk: Buffer): Promise<void> {
    if (this.#way.kind === 'delayed') {
      const { byMs } = this.#way;
      await new Promise((resolve) => setTimeout(resolve, byMs));
    }
    while (this.#way.kind === 'half-open' && !to.destroyed) await this.#changed.promise;
    if (to.destroyed) return;
    if (!to.write(chunk)) await Promise.race([once(to, 'drain'), once(to, 'close')]).catch(() => {});
    from.resume();
  }

  #reset(pair: Pair): void {
    if (!this.#pairs.delete(pair)) return;
    pair.near.resetAndDestroy();
    pair.far?.resetAndDestroy();
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}
