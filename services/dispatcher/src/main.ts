import { isStartedByNpm } from '@retrigger/config/started-by-npm.ts';
import { run } from '@retrigger/lifecycle/run.ts';
import { composeDispatcher } from './compose.ts';

await run(() => composeDispatcher(process.env), { endsWithParent: isStartedByNpm(process.env) });
