// npm run outages -w test/outages: writes deploy/OUTAGES.md anew.
import { writeFileSync } from 'node:fs';
import { OUTAGES_FILE } from './files.ts';
import { outagesText } from './table.ts';

writeFileSync(OUTAGES_FILE, outagesText());
