import canonicalize from 'canonicalize';

/** RFC 8785. @throws TypeError for what JSON can't say. */
export function canonicalJson(value: unknown): string {
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError('this value has no JSON form');
  return text;
}
