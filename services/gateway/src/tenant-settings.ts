import type { JsonObject } from '@retrigger/domain/json.ts';
import type { CommandLimits } from '@retrigger/engine/command-limits.ts';
import { type Retention, TENANT_SETTINGS } from '@retrigger/engine/retention.ts';
import type { Clock } from '@retrigger/ports/clock.ts';
import type { Document, DocumentStore } from '@retrigger/ports/document-store.ts';
import { RecentDocuments } from './recent-documents.ts';

/** The only document of its kind that a tenant has. */
export const SETTINGS_ID = 'settings';
const LISTED_AT_ONCE = 1_000;
/** Commands that have set them. */
const REMEMBERED = 50;

/** What a tenant may set of its limits; the system's is the installation's alone. */
export type TenantLimits = Partial<Omit<CommandLimits, 'systemPerMinute'>>;
export type TenantSettings = { limits: TenantLimits; retention: Retention };

/** Without a document nothing is set. */
export function settingsIn(document: Document | undefined): TenantSettings {
  const { limits = {}, retention = {} } = (document?.body ?? {}) as Partial<TenantSettings>;
  return { limits, retention };
}

/**
 * What holds for a tenant. What one user and one task may do is the tenant's own affair (its admins make the users), so its settings take the place of the
 * installation's. X1: what a tenant takes of the whole is not: its own limit only ever makes the installation's stricter, and the system's is not its to set.
 */
export const limitsInForce = (installation: CommandLimits, own: TenantLimits): CommandLimits => ({
  userPerHour: own.userPerHour ?? installation.userPerHour,
  taskPerHour: own.taskPerHour ?? installation.taskPerHour,
  tenantPerMinute: stricter(installation.tenantPerMinute, own.tenantPerMinute ?? 0),
  systemPerMinute: installation.systemPerMinute,
});

/** 0 = off. */
const stricter = (a: number, b: number): number => (a === 0 || b === 0 ? a + b : Math.min(a, b));

/** The limits of all tenants, as they were a few seconds ago at most (Z1). */
export class LimitsOfTenants {
  readonly #recent: RecentDocuments;
  readonly #installation: CommandLimits;

  constructor(installation: CommandLimits, documents: Pick<DocumentStore, 'read'>, clock: Clock) {
    this.#recent = new RecentDocuments(documents, clock);
    this.#installation = installation;
  }

  /** At once when they are remembered. @throws when they must be read and can't be. */
  of(tenantId: string): CommandLimits | Promise<CommandLimits> {
    const found = this.#recent.read({ kind: TENANT_SETTINGS, tenantId, id: SETTINGS_ID });
    return found instanceof Promise ? found.then((document) => this.#inForce(document)) : this.#inForce(found);
  }

  /** They were changed here. */
  forget(tenantId: string): void {
    this.#recent.forget(`${tenantId}/${SETTINGS_ID}`);
  }

  #inForce(document: Document | undefined): CommandLimits {
    return document === undefined ? this.#installation : limitsInForce(this.#installation, settingsIn(document).limits);
  }
}

/** The limits of all tenants as they are stored now. */
export async function storedLimits(
  installation: CommandLimits,
  documents: Pick<DocumentStore, 'listAll'>,
): Promise<(tenantId: string) => CommandLimits> {
  const own = new Map<string, CommandLimits>();
  for (let last: Document | null = null; ; ) {
    const found: Document[] = await documents.listAll(TENANT_SETTINGS, last, LISTED_AT_ONCE);
    for (const document of found) own.set(document.tenantId, limitsInForce(installation, settingsIn(document).limits));
    last = found.at(-1) ?? null;
    if (last === null || found.length < LISTED_AT_ONCE) return (tenantId) => own.get(tenantId) ?? installation;
  }
}

/**
 * Takes the place of what was set before. X2: done twice by one command it is done once, also when others came between: by which commands it was set last stays
 * beside it.
 */
export async function saveSettings(
  documents: Pick<DocumentStore, 'read' | 'write'>,
  tenantId: string,
  settings: TenantSettings,
  commandId: string,
): Promise<void> {
  for (;;) {
    const before = await documents.read(TENANT_SETTINGS, tenantId, SETTINGS_ID);
    const { commandIds = [] } = (before?.body ?? {}) as { commandIds?: string[] };
    if (commandIds.includes(commandId)) return; // X2
    const body: JsonObject = { ...settings, commandIds: [...commandIds.slice(1 - REMEMBERED), commandId] } as JsonObject;
    const document = { kind: TENANT_SETTINGS, tenantId, id: SETTINGS_ID, version: (before?.version ?? 0) + 1, body };
    if ((await documents.write(document)) === 'written') return;
  }
}
