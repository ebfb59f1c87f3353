import type { LogFields } from '@retrigger/ports/observer.ts';

const SECRET_NAME =
  /authori[sz]ation|secret|password|passphrase|cookie|credential|token|signature|bearer|(api|signing|private|access|secret)[-_]?key/i;

/** Secrets by how they look: ours by their prefixes, credentials by their scheme, and what stands before the @ of a URL. */
const SECRET_TEXT = /\b(whsec_|rtk_)[A-Za-z0-9+/=_-]+|\b(Bearer|Basic)\s+[^\s,;"']+|(?<=:\/\/)[^\s/@]+@/gi;

export const REDACTED = '[redacted]';

export const redactText = (text: string): string => text.replaceAll(SECRET_TEXT, REDACTED);

/** Fields with the name of a secret lose their value; secrets inside other texts are cut out. */
export function redactFields(fields: LogFields): LogFields {
  const shown: LogFields = {};
  for (const [name, value] of Object.entries(fields)) {
    if (value !== null && value !== undefined && SECRET_NAME.test(name)) shown[name] = REDACTED;
    else shown[name] = typeof value === 'string' ? redactText(value) : value;
  }
  return shown;
}
