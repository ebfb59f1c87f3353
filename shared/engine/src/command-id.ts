import { derive } from '@retrigger/domain/identifiers.ts';

/** The id under which a door knows a request: twins share it. Null key = no idempotency asked for, so the id is fresh. */
export const commandIdOf = (
  caller: { door: string; tenantId: string; userId: string },
  request: { method: string; path: string },
  key: string | null,
  freshId: () => string,
): string => (key === null ? freshId() : derive(caller.door, caller.tenantId, caller.userId, request.method, request.path, key));
