import { randomBytes } from 'node:crypto';

const mark = randomBytes(5).toString('hex');

/** A name that is this test file's own, so that its tests can share an installation with others and with earlier runs. */
export const own = (name: string): string => `${name}-${mark}`;
