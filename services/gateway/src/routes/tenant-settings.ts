import { tenantSettings, tenantSettingsInForce } from '@retrigger/contract/tenant-settings-schema.ts';
import type { JsonObject } from '@retrigger/domain/json.ts';
import { TENANT_SETTINGS } from '@retrigger/engine/retention.ts';
import type { z } from 'zod';
import type { Api } from '../api.ts';
import { isProblem } from '../exchange.ts';
import { problemReply } from '../problem.ts';
import { readQuery } from '../query.ts';
import { success } from '../reply.ts';
import { limitsInForce, SETTINGS_ID, saveSettings, settingsIn, type TenantSettings } from '../tenant-settings.ts';
import { mayRead } from './task-in-path.ts';

const PATH = '/api/v1/tenant/settings';

export function tenantSettingsRoutes(api: Api): void {
  const { documents, config, limitsChanged, observer } = api.deps;

  const shown = (settings: TenantSettings): JsonObject => {
    const { systemPerMinute: _, ...effectiveLimits } = limitsInForce(config.limits, settings.limits);
    return { ...settings, effectiveLimits };
  };

  api.read(
    PATH,
    {
      summary: 'The settings of the tenant',
      description: 'Only an admin. What the tenant has set, and which limits hold.',
      tag: 'Administration',
      success: { 200: { description: 'What is set', data: tenantSettingsInForce } },
      problems: ['invalid_request', 'forbidden'],
    },
    async (caller, c) => {
      const query = readQuery(c.req.url, []);
      const wrong = mayRead(caller, 'tenant:administer') ?? (query.kind === 'problem' ? query.problem : undefined);
      if (wrong !== undefined && isProblem(wrong)) return problemReply(wrong, c.req.path);
      return success(200, shown(settingsIn(await documents.read(TENANT_SETTINGS, caller.tenantId, SETTINGS_ID))));
    },
  );
  api.direct<z.infer<typeof tenantSettings>>(
    {
      method: 'PUT',
      path: PATH,
      type: 'SaveTenantSettings',
      permission: 'tenant:administer',
      schema: tenantSettings,
      status: 200,
      async run({ caller: { tenantId, userId }, body: { limits = {}, retention = {} }, commandId }) {
        await saveSettings(documents, tenantId, { limits, retention }, commandId);
        limitsChanged?.(tenantId);
        observer.log('info', 'a tenant’s settings were changed', { tenantId, by: userId });
        return shown({ limits, retention });
      },
    },
    {
      summary: 'Set the settings of the tenant',
      description: 'Only an admin. They take the place of those before as a whole, and hold at every gateway 5 seconds later.',
      tag: 'Administration',
      isDirect: true,
      body: tenantSettings,
      success: { 200: { description: 'What is set now', data: tenantSettingsInForce } },
    },
  );
}
