import { freshIds } from '@retrigger/lifecycle/fresh-ids.ts';
import { expect, test } from 'vitest';

test('fresh ids are 22 URL-safe characters, and none comes twice, whoever made it', () => {
  const [one, other] = [freshIds(), freshIds()];
  const ids = Array.from({ length: 3_000 }, () => [one(), other()]).flat();
  expect(new Set(ids).size).toBe(6_000);
  for (const id of ids) expect(id).toMatch(/^[A-Za-z0-9_-]{22}$/);
});
