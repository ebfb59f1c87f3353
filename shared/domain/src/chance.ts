import { hash } from 'node:crypto';

/**
 * A fraction in [0, 1) that looks random and is the same for the same parts, so that whoever decides a command again makes the same bytes.
 * The first 48 bits of SHA-256; parts hold no line feed.
 */
export function chance(...parts: (string | number)[]): number {
  const digest = hash('sha256', ['chance', ...parts].join('\n'));
  return Number.parseInt(digest.slice(0, 12), 16) / 2 ** 48;
}
