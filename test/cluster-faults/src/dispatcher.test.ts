import { kill } from '@retrigger/test-faults/child.ts';
import { expect, test } from 'vitest';
import { UnderLoad } from './under-load.ts';

test('a dispatcher that is killed under load is replaced: every execution is called and reported, none is left running', async () => {
  const used = await UnderLoad.start();
  try {
    const load = used.load('dispatched');
    await used.goesOn(load);
    await kill(used.dispatcher);
    await used.goesOn(load);
    await used.installation.start('dispatcher').ready;
    await used.goesOn(load);
    expect(await used.settle(load)).toEqual([]);
  } finally {
    await used.end();
  }
});
