import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { Api } from '../api.ts';
import { DOCUMENT } from '../openapi.ts';
import { problemReply } from '../problem.ts';
import type { Reply } from '../reply.ts';

/** Files of Swagger UI (Apache-2.0) that the page needs; served from here, so that the page works without the internet. */
const FILES: { [name: string]: string } = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
  'favicon-32x32.png': 'image/png',
};

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Retrigger API</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" type="image/png" href="/docs/favicon-32x32.png">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="api"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
`;

const START = `SwaggerUIBundle({ url: '/openapi.json', dom_id: '#api', deepLinking: true, validatorUrl: null });\n`;

/** Scripts only from here; Swagger UI sets styles inline and has images as data. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const served = (body: Reply['body'], type: string): Reply => ({
  status: 200,
  body,
  headers: {
    'content-type': type,
    'content-security-policy': POLICY,
    'cache-control': 'public, max-age=3600',
  },
});

/** The OpenAPI document, made once, and the page that shows it. Registered last, so that the document knows every call. */
export function docsRoutes(api: Api): void {
  api.open(
    '/openapi.json',
    { summary: 'This document', tag: 'Service', success: { 200: { description: 'OpenAPI 3.1', text: 'application/json' } } },
    async () => served(document, 'application/json'),
  );
  api.open(
    '/docs',
    { summary: 'This document for people', tag: 'Service', success: { 200: { description: 'A page', text: 'text/html' } } },
    async () => served(PAGE, 'text/html; charset=utf-8'),
  );
  api.open(
    '/docs/{file}',
    {
      summary: 'What that page loads',
      tag: 'Service',
      parameters: z.object({ file: z.string() }),
      success: { 200: { description: 'A file', text: 'application/octet-stream' } },
      problems: ['not_found'],
    },
    async (c) => {
      const name = c.req.param('file') ?? '';
      if (name === 'start.js') return served(START, 'text/javascript; charset=utf-8');
      const type = Object.hasOwn(FILES, name) ? FILES[name] : undefined;
      if (type === undefined) return problemReply({ code: 'not_found', detail: 'There is nothing at this path' }, c.req.path);
      return served(await readFile(fileURLToPath(import.meta.resolve(`swagger-ui-dist/${name}`))), type);
    },
  );
  api.app.openAPIRegistry.registerComponent('securitySchemes', 'bearer', {
    type: 'http',
    scheme: 'bearer',
    description: 'An API key, or a token (JWT) of the issuer that the installation trusts',
  });
  const document = JSON.stringify(api.app.getOpenAPI31Document(DOCUMENT));
}
