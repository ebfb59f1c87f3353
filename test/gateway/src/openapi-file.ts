import { fileURLToPath } from 'node:url';
import { startDoor } from './door.ts';

/** Where the document is kept for those who don't run the server. */
export const OPENAPI_FILE = fileURLToPath(new URL('../../../schemas/openapi.json', import.meta.url));

/** The document that the gateway serves, as it is kept. */
export async function openapiText(): Promise<string> {
  const { json } = await startDoor().ask('/openapi.json', { as: null });
  return `${JSON.stringify(json, null, 2)}\n`;
}
