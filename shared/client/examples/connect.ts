import { type Client, createClient } from '../src/client.ts';

/** Runs an example by hand: `node <example>.ts http://127.0.0.1:8080 $KEY`. */
export async function byHand(example: (client: Client) => Promise<unknown>): Promise<void> {
  const [url = 'http://127.0.0.1:8080', key = ''] = process.argv.slice(2);
  console.log(JSON.stringify(await example(createClient({ url, key })), null, 2));
}

/** Asks again until something is so; a program of yours would rather consume the events topic. */
export async function until<T>(ask: () => Promise<T>, isSo: (found: T) => boolean): Promise<T> {
  for (;;) {
    const found = await ask();
    if (isSo(found)) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
