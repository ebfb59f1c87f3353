import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { mongoAnswers } from './mongo-answers.ts';

/** A MongoDB that answers everything, unless told to leave pings waiting. */
export class MongoServer {
  readonly #server: ReturnType<typeof createServer>;
  readonly #open = new Set<Socket>();
  #heardAt = 0;
  answersPings = true;
  /** Called when somebody pings. */
  onPing: (from: Socket) => void = () => {};

  static async start(): Promise<MongoServer> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new MongoServer(server);
  }

  private constructor(server: ReturnType<typeof createServer>) {
    this.#server = server;
    server.on('connection', (socket) => this.#serve(socket));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `mongodb://127.0.0.1:${this.port}/x`;
  }

  /** How long nobody has said anything, in ms. */
  get quietForMs(): number {
    return performance.now() - this.#heardAt;
  }

  /** As a process that is killed: all its connections end at once, those that are idle without an error. */
  endAll(): void {
    for (const socket of this.#open) socket.end();
  }

  async close(): Promise<void> {
    for (const socket of this.#open) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #serve(socket: Socket): void {
    this.#open.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => this.#open.delete(socket));
    socket.on('data', (request: Buffer) => {
      this.#heardAt = performance.now();
      const isPing = request.includes('ping');
      if (isPing) this.onPing(socket);
      const answer = isPing && !this.answersPings ? undefined : mongoAnswers(request);
      if (answer !== undefined) socket.write(answer);
    });
  }
}
