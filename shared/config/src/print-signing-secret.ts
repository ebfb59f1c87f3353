// npm run -s signing-secret: what the first API key's records are signed with. Whoever can run it has the server secret, from which all others follow.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readEnvironment } from './environment.ts';
import { hmacSecrets } from './hmac-secrets.ts';
import { SECRET_FILE, serverSecret } from './server-secret.ts';
import { FIRST_KEY, signingSecret } from './signing-secret.ts';
import { DATA_FOLDER, SECRETS } from './variables.ts';

const say = (message: string) => process.stderr.write(`retrigger: ${message}\n`);

/** A secret that is made here would be nobody's: what it signs ends in the dead letters. */
async function found(): ReturnType<typeof serverSecret> {
  const read = readEnvironment(process.env, { ...SECRETS, ...DATA_FOLDER });
  if (read.kind === 'wrong') return { kind: 'unusable', message: read.message };
  const { secret, dataDir } = read.settings;
  const isKept = secret === null && existsSync(join(dataDir, SECRET_FILE));
  if (secret === null && !isKept)
    return {
      kind: 'unusable',
      message: `RETRIGGER_SECRET is not set, and ${dataDir} holds none; set it to what the cluster was started with`,
    };
  if (isKept) say(`RETRIGGER_SECRET is not set: this is by the secret of ${dataDir}, which is no cluster’s`);
  return serverSecret(secret, dataDir);
}

const secret = await found();
if (secret.kind === 'unusable') {
  say(secret.message);
  process.exitCode = 1;
} else process.stdout.write(`${signingSecret(hmacSecrets(secret.secret), FIRST_KEY)}\n`);
