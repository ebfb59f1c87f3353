// npm run -s signing-secret: what the first API key's records are signed with. Whoever can run it has the server secret, from which all others follow.
import { readEnvironment } from './environment.ts';
import { hmacSecrets } from './hmac-secrets.ts';
import { serverSecret } from './server-secret.ts';
import { FIRST_KEY, signingSecret } from './signing-secret.ts';
import { DATA_FOLDER, SECRETS } from './variables.ts';

const read = readEnvironment(process.env, { ...SECRETS, ...DATA_FOLDER });
const found =
  read.kind === 'wrong'
    ? { kind: 'unusable' as const, message: read.message }
    : await serverSecret(read.settings.secret, read.settings.dataDir);
if (found.kind === 'unusable') {
  process.stderr.write(`retrigger: ${found.message}\n`);
  process.exitCode = 1;
} else process.stdout.write(`${signingSecret(hmacSecrets(found.secret), FIRST_KEY)}\n`);
