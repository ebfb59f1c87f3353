import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { TcpProxy } from './tcp-proxy.ts';

/** How `run` of @retrigger/lifecycle ends a service that can't start, which is no fault while servers are away. */
const CANNOT_START = 1;
const RESTART_AFTER_MS = 500;
const SHOWN_OF_LOG = 3_000;
const LATENESS = /^\w*(?:lag|wake_up)\w*(?:\{[^}]*\})? /;

export type Env = { [variable: string]: string };

export type ServiceOptions = {
  /** `worker-2`; what is before the hyphen is what runs. */
  name: string;
  env: Env;
  /** Where its log and its clock are. */
  folder: string;
  /** In front of each server, for this process alone. */
  proxies: Map<string, TcpProxy>;
  /** The addresses that are behind the proxies, by `host:port`. */
  ways: { [address: string]: string };
  /** What the process is started by, e.g. `ip netns exec NAME`; mostly nothing. */
  within: string[];
  /** Where `/readyz` is. */
  url: string;
};

const preload = (file: string): string[] => ['--import', pathToFileURL(join(import.meta.dirname, file)).href];

/** One process of the product, started again whenever it ends, as an operator's supervisor does. */
export class Service {
  readonly name: string;
  readonly url: string;
  readonly proxies: Map<string, TcpProxy>;
  /** Ends that nobody asked for and no missing server explains. */
  readonly crashes: string[] = [];
  readonly #options: ServiceOptions;
  #process: ChildProcess | null = null;
  #ended: Promise<void> = Promise.resolve();
  #isWanted = true;
  #isKilled = false;
  #restartAfterMs = RESTART_AFTER_MS;

  constructor(options: ServiceOptions) {
    this.#options = options;
    this.name = options.name;
    this.url = options.url;
    this.proxies = options.proxies;
    this.clockIsOff(0);
    this.#ended = this.#keepRunning();
  }

  /** SIGKILL; it is back after so long. */
  kill(restartAfterMs: number): void {
    this.#restartAfterMs = restartAfterMs;
    this.#isKilled = true;
    this.#process?.kill('SIGKILL');
  }

  pause(): void {
    this.#process?.kill('SIGSTOP');
  }

  goOn(): void {
    this.#process?.kill('SIGCONT');
  }

  /** How far its calendar is from everybody else's. */
  clockIsOff(byMs: number): void {
    writeFileSync(this.#clock, String(byMs));
  }

  /** What it said last. */
  said = (): string => readFileSync(this.#log, 'utf8').slice(-SHOWN_OF_LOG);

  /** The body of `/readyz`; undefined when it does not answer. */
  async readiness(): Promise<{ status: number; text: string } | undefined> {
    try {
      const response = await fetch(`${this.url}/readyz`, { signal: AbortSignal.timeout(5_000) });
      return { status: response.status, text: await response.text() };
    } catch {
      return undefined;
    }
  }

  /** What its metrics say of how late it is. */
  async lateness(): Promise<string> {
    try {
      const response = await fetch(`${this.url}/metrics`, { signal: AbortSignal.timeout(5_000) });
      return (await response.text())
        .split('\n')
        .filter((line) => LATENESS.test(line))
        .join('; ');
    } catch (error) {
      return String(error);
    }
  }

  async end(): Promise<void> {
    this.#isWanted = false;
    this.kill(0);
    await this.#ended;
  }

  get #log(): string {
    return join(this.#options.folder, `${this.name}.log`);
  }

  get #clock(): string {
    return join(this.#options.folder, `${this.name}.clock`);
  }

  async #keepRunning(): Promise<void> {
    while (this.#isWanted) {
      this.#isKilled = false;
      this.#restartAfterMs = RESTART_AFTER_MS;
      const child = this.#spawn();
      this.#process = child;
      const [code, signal] = await once(child, 'exit');
      if (!this.#isKilled && code !== CANNOT_START) this.crashes.push(`${this.name} ended with ${signal ?? code}:\n${this.said()}`);
      if (this.#isWanted) await new Promise((resolve) => setTimeout(resolve, this.#restartAfterMs));
    }
  }

  #spawn(): ChildProcess {
    const { env, ways, within } = this.#options;
    const entry = fileURLToPath(import.meta.resolve(`@retrigger/${this.name.split('-')[0]}/main.ts`));
    const node = [
      process.execPath,
      '--disable-warning=ExperimentalWarning',
      ...preload('redirect.ts'),
      ...preload('jumping-clock.ts'),
      entry,
    ];
    const [command = '', ...args] = [...within, ...node];
    const log = openSync(this.#log, 'a');
    const child = spawn(command, args, {
      env: { PATH: process.env.PATH, ...env, CHAOS_WAYS: JSON.stringify(ways), CHAOS_CLOCK: this.#clock },
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    return child;
  }
}
