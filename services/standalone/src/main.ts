import { isStartedByNpm } from '@retrigger/config/started-by-npm.ts';
import { run } from '@retrigger/lifecycle/run.ts';
import { composeStandalone } from './compose.ts';

await run(() => composeStandalone(process.env), { endsWithParent: isStartedByNpm(process.env) });
