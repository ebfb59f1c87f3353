import { isStartedByNpm } from '@retrigger/config/started-by-npm.ts';
import { run } from '@retrigger/lifecycle/run.ts';
import { composeNotifier } from './compose.ts';

await run(() => composeNotifier(process.env), { endsWithParent: isStartedByNpm(process.env) });
