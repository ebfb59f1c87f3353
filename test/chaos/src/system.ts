import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { API_KEY, freePorts, freshInstallation, type InstallationSettings } from '@retrigger/test-cluster/installation.ts';
import { addresses, clusterWithin } from '@retrigger/test-cluster/servers.ts';
import { CutOff } from './cut-off.ts';
import type { Disks } from './disks.ts';
import { type Env, Service } from './service.ts';
import { type Address, TcpProxy } from './tcp-proxy.ts';

export const SERVERS = ['kafka', 'mongo', 'redis', 'registry'] as const;
export type Server = (typeof SERVERS)[number];

const GATEWAYS = ['gateway-1', 'gateway-2'];
const OTHERS = ['worker-1', 'worker-2', 'dispatcher', 'notifier'];
export const SERVICES = [...GATEWAYS, ...OTHERS];
/** The one that can be cut off from single servers. */
export const CUT_OFF = 'worker-2';

const VARIABLES: { [server in Server]: string } = {
  kafka: 'RETRIGGER_KAFKA_BROKERS',
  mongo: 'RETRIGGER_MONGODB_URL',
  redis: 'RETRIGGER_REDIS_URL',
  registry: 'RETRIGGER_SCHEMA_REGISTRY_URL',
};

const EMPTIED_WITHIN_MS = 10_000;

/** Limits that nobody reaches, and that Redis has to count all the same. */
const UNREACHED = '1000000';

const SETTINGS: Env = {
  RETRIGGER_ALLOW_PRIVATE_TARGETS: 'true',
  RETRIGGER_LOG_LEVEL: 'info',
  RETRIGGER_LIMIT_USER_PER_HOUR: UNREACHED,
  RETRIGGER_LIMIT_TASK_PER_HOUR: '0',
  RETRIGGER_LIMIT_SYSTEM_PER_MINUTE: UNREACHED,
};

/** A whole installation on a cluster of its own: every process behind proxies of its own, everything there to be broken. */
export class System {
  readonly settings: InstallationSettings;
  readonly services: Map<string, Service>;
  readonly cutOff: CutOff | undefined;
  readonly disks: Disks | undefined;
  readonly #servers: Map<Server, Address>;

  /** The cluster is up. `folder`: for logs. */
  static async start(folder: string, disks: Disks | undefined): Promise<System> {
    const settings = { ...(await freshInstallation()), ...SETTINGS };
    const known = await addresses();
    const servers = new Map(SERVERS.map((server) => [server, addressIn(known.get(VARIABLES[server]) ?? '')]));
    const cutOff = await CutOff.make([...SERVERS, 'health']);
    const system = new System(settings, cutOff, disks, servers);
    const port = await freePorts(SERVICES.length);
    for (const [i, name] of SERVICES.entries()) await system.#add(name, port + i, folder);
    return system;
  }

  private constructor(settings: InstallationSettings, cutOff: CutOff | undefined, disks: Disks | undefined, servers: Map<Server, Address>) {
    this.settings = settings;
    this.cutOff = cutOff;
    this.disks = disks;
    this.#servers = servers;
    this.services = new Map();
  }

  service(name: string): Service {
    const found = this.services.get(name);
    if (found === undefined) throw new Error(`there is no ${name}`);
    return found;
  }

  /** Where the gateways are. */
  get doors(): string[] {
    return GATEWAYS.map((name) => this.service(name).url);
  }

  get firstKey(): string {
    return API_KEY;
  }

  proxy(service: string, server: string): TcpProxy {
    const found = this.service(service).proxies.get(server);
    if (found === undefined) throw new Error(`${service} has no proxy to ${server}`);
    return found;
  }

  /** Servers find their small disks again. */
  cluster = (...args: string[]): Promise<string> => clusterWithin(this.disks?.mounts.within ?? [], ...args);

  emptyRedis = (): Promise<unknown> =>
    promisify(execFile)('redis-cli', ['-u', this.settings.RETRIGGER_REDIS_URL ?? '', 'flushall'], { timeout: EMPTIED_WITHIN_MS });

  /** Ends every fault that there is, whoever began it. Resolves when each server answers. */
  async heal(): Promise<void> {
    for (const disk of this.disks?.of.values() ?? []) disk.makeRoom();
    for (const server of SERVERS) {
      await this.cluster('continue', server);
      await this.cluster('start', server);
      await this.cutOff?.mend(server);
    }
    for (const service of this.services.values()) {
      service.goOn();
      service.clockIsOff(0);
      for (const proxy of service.proxies.values()) proxy.way = { kind: 'open' };
    }
  }

  /** Those that are not ready, with what they say. */
  async unready(): Promise<string[]> {
    const all = await Promise.all(
      [...this.services.values()].map(async (service) => {
        const answer = await service.readiness();
        if (answer?.status === 200 && answer.text.includes('"ready"')) return [];
        return [`${service.name}: ${answer?.text ?? 'no answer'} ${await service.lateness()}`];
      }),
    );
    return all.flat();
  }

  crashes = (): string[] => [...this.services.values()].flatMap(({ crashes }) => crashes);

  async end(): Promise<void> {
    const services = [...this.services.values()];
    await Promise.all(services.map((service) => service.end()));
    await Promise.all(services.flatMap(({ proxies }) => [...proxies.values()].map((proxy) => proxy.close())));
    await this.cutOff?.remove();
  }

  async #add(name: string, port: number, folder: string): Promise<void> {
    const isCutOff = name === CUT_OFF && this.cutOff !== undefined;
    const proxies = new Map<string, TcpProxy>();
    const ways: { [address: string]: string } = {};
    for (const [server, to] of this.#servers) {
      const proxy = await TcpProxy.start(to, isCutOff ? this.cutOff?.ends.get(server)?.near : '127.0.0.1');
      proxies.set(server, proxy);
      ways[`${to.host}:${to.port}`] = `${proxy.address.host}:${proxy.address.port}`;
    }
    const host = (isCutOff ? this.cutOff?.ends.get('health')?.far : undefined) ?? '127.0.0.1';
    const own = { HOST: host, [GATEWAYS.includes(name) ? 'PORT' : 'RETRIGGER_HEALTH_PORT']: String(port) };
    const within = isCutOff ? (this.cutOff?.within ?? []) : [];
    const env = { ...this.settings, ...own };
    this.services.set(name, new Service({ name, env, folder, proxies, ways, within, url: `http://${host}:${port}` }));
  }
}

function addressIn(text: string): Address {
  const { hostname, port } = new URL(text.includes('://') ? text : `tcp://${text}`);
  return { host: hostname, port: Number(port) };
}
