import { writeFile } from 'node:fs/promises';
import { OPENAPI_FILE, openapiText } from './openapi-file.ts';

await writeFile(OPENAPI_FILE, await openapiText());
