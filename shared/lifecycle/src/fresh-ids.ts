import { randomFillSync } from 'node:crypto';

const ID_BYTES = 16;
/** Asking the system for randomness costs about the same for one id and for many. */
const IDS_AT_ONCE = 256;

/** Ids that nobody can guess and that never come twice: 22 URL-safe characters, 128 bits each. */
export function freshIds(): () => string {
  const entropy = Buffer.alloc(ID_BYTES * IDS_AT_ONCE);
  let used = entropy.length;
  return () => {
    if (used === entropy.length) {
      randomFillSync(entropy);
      used = 0;
    }
    used += ID_BYTES;
    return entropy.toString('base64url', used - ID_BYTES, used);
  };
}
