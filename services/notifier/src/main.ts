import { run } from '@retrigger/lifecycle/run.ts';
import { composeNotifier } from './compose.ts';

await run(() => composeNotifier(process.env));
