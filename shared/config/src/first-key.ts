import { randomBytes } from 'node:crypto';
import { keptOnce } from './owner-file.ts';

/** Where it is kept, in the data folder. */
export const FIRST_KEY_FILE = 'api-key';
const USABLE = /^[\x20-\x7e]{16,256}$/;

/**
 * The first API key (tenant `default`, user `admin`): `given` (RETRIGGER_API_KEY, already checked), or one made on first start and kept in the data
 * folder. `made`: it was made now.
 */
export async function firstKey(
  given: string | null,
  dataDir: string,
): Promise<{ kind: 'key'; key: string; made: boolean } | { kind: 'unusable'; message: string }> {
  if (given !== null) return { kind: 'key', key: given, made: false };
  const kept = await keptOnce(
    dataDir,
    FIRST_KEY_FILE,
    () => `rtk_${randomBytes(32).toString('base64url')}`,
    (text) => USABLE.test(text),
  );
  return kept.kind === 'kept' ? { kind: 'key', key: kept.text, made: kept.made } : kept;
}
