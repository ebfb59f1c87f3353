import { run } from '@retrigger/lifecycle/run.ts';
import { composeDispatcher } from './compose.ts';

await run(() => composeDispatcher(process.env));
