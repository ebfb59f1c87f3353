import { isStartedByNpm } from '@retrigger/config/started-by-npm.ts';
import { run } from '@retrigger/lifecycle/run.ts';
import { composeGateway } from './compose.ts';

await run(() => composeGateway(process.env), { endsWithParent: isStartedByNpm(process.env) });
