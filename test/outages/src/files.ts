import { fileURLToPath } from 'node:url';

const inProject = (path: string): string => fileURLToPath(new URL(`../../../${path}`, import.meta.url));

export const OUTAGES_FILE = inProject('deploy/OUTAGES.md');
export const OPENAPI_FILE = inProject('schemas/openapi.json');
