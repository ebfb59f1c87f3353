import { randomBytes } from 'node:crypto';
import { keptOnce } from './owner-file.ts';

/** Where it is kept, in the data folder. */
export const SECRET_FILE = 'secret';
const MADE = /^[A-Za-z0-9_-]{43}$/;

/**
 * The server secret, from which all others are derived: `given` (RETRIGGER_SECRET), or 32 random bytes made on first start and kept in the
 * data folder. Losing or changing it voids every API key and signing secret.
 */
export async function serverSecret(
  given: string | null,
  dataDir: string,
): Promise<{ kind: 'secret'; secret: Buffer } | { kind: 'unusable'; message: string }> {
  if (given !== null) return { kind: 'secret', secret: Buffer.from(given) };
  const kept = await keptOnce(
    dataDir,
    SECRET_FILE,
    () => randomBytes(32).toString('base64url'),
    (text) => MADE.test(text),
  );
  return kept.kind === 'kept' ? { kind: 'secret', secret: Buffer.from(kept.text) } : kept;
}
