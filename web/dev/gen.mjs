// Writes src/api/schema.d.ts from the API's own description: of the running server in VIGIE_URL, else of the binary in
// VIGIE_BIN (or the debug build), started for the purpose.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import openapiTS, { astToString } from 'openapi-typescript';
import { startServer } from '../e2e/server.mjs';

const target = join(import.meta.dirname, '../src/api/schema.d.ts');
const running = process.env.VIGIE_URL;
const server = running ? null : await startServer();
try {
  const answer = await fetch(`${running ?? server.url}/api/openapi.json`);
  if (!answer.ok) throw new Error(`/api/openapi.json answered ${answer.status}`);
  const text = `// Made by \`npm run gen\` from /api/openapi.json. Not for editing.\n${astToString(await openapiTS(await answer.json()))}`;
  const before = (() => {
    try {
      return readFileSync(target, 'utf8');
    } catch {
      return '';
    }
  })();
  writeFileSync(target, text);
  console.log(before === text ? 'schema.d.ts is up to date' : 'schema.d.ts was written');
} finally {
  await server?.stop();
}
