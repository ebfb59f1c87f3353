import { statfs } from 'node:fs/promises';

/** Bytes that this process may still write to the file system of a folder; 0 when it can't be asked. */
export const freeBytes = (folder: string): Promise<number> =>
  statfs(folder).then(
    ({ bavail, bsize }) => bavail * bsize,
    () => 0,
  );
