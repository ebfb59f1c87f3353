import { run } from '@retrigger/lifecycle/run.ts';
import { composeGateway } from './compose.ts';

await run(() => composeGateway(process.env));
