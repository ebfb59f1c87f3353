import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

const ROOT = join(import.meta.dirname, '../../..');
export const fileAt = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

type Scalar = string | number | boolean | null;

export interface Service {
  readonly image: string;
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, Scalar>>;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly volumes?: readonly string[];
  readonly deploy?: { readonly replicas?: number };
}

export interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

/** docker-compose.yml with its anchors and merges resolved; variables stay as written. */
export const compose = (): Compose => parse(fileAt('docker-compose.yml'), { merge: true });

export const serviceOf = (name: string): Service => {
  const service = compose().services[name];
  if (service === undefined) throw new Error(`docker-compose.yml has no service ${name}`);
  return service;
};

/** `NAME=value` lines, comments left out. */
function assignments(text: string): Map<string, string> {
  const pairs = [...text.matchAll(/^([A-Za-z_.]+)=(.*)$/gm)];
  return new Map(pairs.map(([, name = '', value = '']) => [name, value]));
}

/** The versions that the local cluster runs. */
export function localVersion(name: string): string {
  const version = assignments(fileAt('deploy/local/versions.sh')).get(name);
  if (version === undefined) throw new Error(`deploy/local/versions.sh names no ${name}`);
  return version;
}

/** The broker settings of the local cluster as apache/kafka's image takes them: `a.b.c` is KAFKA_A_B_C. */
export function localKafkaSettings(): Map<string, string> {
  const properties = assignments(fileAt('deploy/local/kafka.properties'));
  return new Map([...properties].map(([name, value]) => [`KAFKA_${name.replaceAll('.', '_').toUpperCase()}`, value]));
}
