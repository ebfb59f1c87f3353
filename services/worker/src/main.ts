import { run } from '@retrigger/lifecycle/run.ts';
import { composeWorker } from './compose.ts';

await run(() => composeWorker(process.env));
