/** The environment as a process gets it. Only entry points hold `process.env`; everybody else is given what they need. */
export type Environment = { readonly [name: string]: string | undefined };

/** What one text means to a variable, or what would be right instead. `got` replaces the text in the message where it is a secret. */
export type Parsed<T> = { kind: 'value'; value: T } | { kind: 'wrong'; expected: string; got?: string };

/** One variable: its name, what holds when it is unset, and how its text is read. */
export type Variable<T> = { name: string; fallback: T; parse(text: string): Parsed<T> };

export type Settings<V> = { [K in keyof V]: V[K] extends Variable<infer T> ? T : never };

/**
 * Reads the declared variables, once, at start. An empty variable is an unset one.
 * The first that is wrong makes one line that names it, what it holds and what would be right.
 */
export function readEnvironment<V extends { [key: string]: Variable<unknown> }>(
  environment: Environment,
  variables: V,
): { kind: 'read'; settings: Settings<V> } | { kind: 'wrong'; message: string } {
  const settings: { [key: string]: unknown } = {};
  for (const [key, variable] of Object.entries(variables)) {
    const text = environment[variable.name] ?? '';
    const parsed: Parsed<unknown> = text === '' ? { kind: 'value', value: variable.fallback } : variable.parse(text);
    if (parsed.kind === 'wrong') {
      return { kind: 'wrong', message: `${variable.name} is ${parsed.got ?? JSON.stringify(text)}; it must be ${parsed.expected}` };
    }
    settings[key] = parsed.value;
  }
  return { kind: 'read', settings: settings as Settings<V> };
}

const value = <T>(read: T): Parsed<T> => ({ kind: 'value', value: read });

export const text = (name: string, fallback: string): Variable<string> => ({ name, fallback, parse: value });

/** A whole number from `least` to `most`. */
export const integer = (name: string, fallback: number, least: number, most: number): Variable<number> => ({
  name,
  fallback,
  parse(given) {
    const number = /^-?\d{1,15}$/.test(given) ? Number(given) : Number.NaN;
    return number >= least && number <= most ? value(number) : { kind: 'wrong', expected: `a whole number from ${least} to ${most}` };
  },
});

/** A TCP port; 0 lets the system choose a free one. */
export const port = (name: string, fallback: number): Variable<number> => integer(name, fallback, 0, 65_535);

export const flag = (name: string, fallback: boolean): Variable<boolean> => ({
  name,
  fallback,
  parse: (given) => (given === 'true' || given === 'false' ? value(given === 'true') : { kind: 'wrong', expected: 'true or false' }),
});

export const oneOf = <T extends string>(name: string, fallback: T, choices: readonly T[]): Variable<T> => ({
  name,
  fallback,
  parse(given) {
    const choice = choices.find((candidate) => candidate === given);
    return choice === undefined ? { kind: 'wrong', expected: `one of ${choices.join(', ')}` } : value(choice);
  },
});

/** An absolute http or https URL. Null when unset. */
export const httpUrl = (name: string): Variable<string | null> => ({
  name,
  fallback: null,
  parse(given) {
    const isHttp = URL.canParse(given) && ['http:', 'https:'].includes(new URL(given).protocol);
    return isHttp ? value(given) : { kind: 'wrong', expected: 'an http or https URL', got: 'no such URL' };
  },
});

/** Printable ASCII of a bounded length that no message may repeat. Null when unset. */
export const secretText = (name: string, least: number, most: number): Variable<string | null> => ({
  name,
  fallback: null,
  parse(given) {
    if (/^[\x20-\x7e]+$/.test(given) && given.length >= least && given.length <= most) return value(given);
    const got = /^[\x20-\x7e]+$/.test(given) ? `${given.length} characters long` : 'not all printable ASCII';
    return { kind: 'wrong', expected: `${least} to ${most} printable ASCII characters`, got };
  },
});

/** A comma-separated list of `name=count`, each count 1 or more. Empty when unset. */
export const counts = (name: string): Variable<ReadonlyMap<string, number>> => ({
  name,
  fallback: new Map(),
  parse(given) {
    const list = given.split(',').map((one) => /^([\w.~:@-]{1,128})=([1-9]\d{0,5})$/.exec(one.trim()));
    const pairs = list.flatMap((found) => (found === null ? [] : [[found[1] ?? '', Number(found[2])] as const]));
    return pairs.length === list.length
      ? value(new Map(pairs))
      : { kind: 'wrong', expected: 'a comma-separated list of type=count, each count from 1' };
  },
});

/** An absolute URL of one of these protocols (`smtp:`), which may hold a password: no message repeats it. Null when unset. */
export const secretUrl = (name: string, protocols: readonly string[]): Variable<string | null> => ({
  name,
  fallback: null,
  parse(given) {
    const isOne = URL.canParse(given) && protocols.includes(new URL(given).protocol) && new URL(given).hostname !== '';
    return isOne ? value(given) : { kind: 'wrong', expected: `a URL with ${protocols.join(' or ')}//`, got: 'no such URL' };
  },
});

/** A comma-separated list of `host:port`. Null when unset. */
export const hosts = (name: string): Variable<string[] | null> => ({
  name,
  fallback: null,
  parse(given) {
    const list = given.split(',').map((one) => one.trim());
    const isList = list.every((one) => /^[^\s:/]+:\d{1,5}$/.test(one));
    return isList ? value(list) : { kind: 'wrong', expected: 'a comma-separated list of host:port' };
  },
});
