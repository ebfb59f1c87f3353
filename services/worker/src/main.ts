import { isStartedByNpm } from '@retrigger/config/started-by-npm.ts';
import { run } from '@retrigger/lifecycle/run.ts';
import { composeWorker } from './compose.ts';

await run(() => composeWorker(process.env), { endsWithParent: isStartedByNpm(process.env) });
