import { run } from '@retrigger/lifecycle/run.ts';
import { composeStandalone } from './compose.ts';

await run(() => composeStandalone(process.env));
