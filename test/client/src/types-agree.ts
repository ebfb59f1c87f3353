// Checked by the compiler alone: the client's types are those of the schemas that the OpenAPI document is made from.
import type * as Administration from '@retrigger/client/administration-types.ts';
import type * as Bulk from '@retrigger/client/bulk-types.ts';
import type * as Notifications from '@retrigger/client/notification-types.ts';
import type * as Client from '@retrigger/client/types.ts';
import type { apiKeyPage, createApiKey, createdApiKey } from '@retrigger/contract/api-key-schema.ts';
import type { bulkReschedule, bulkRescheduled, bulkTrigger, bulkTriggered } from '@retrigger/contract/bulk-bodies.ts';
import type { closedDeadLetter, deadLetterPage } from '@retrigger/contract/dead-letter-bodies.ts';
import type { erased, erasure } from '@retrigger/contract/erasure-schema.ts';
import type { event, eventPage, taskChanges, verified } from '@retrigger/contract/event-schema.ts';
import type { claimExecutions, completedReport, failedReport } from '@retrigger/contract/execution-bodies.ts';
import type {
  createdSubscription,
  createSubscription,
  subscription,
  subscriptionList,
  subscriptionTest,
} from '@retrigger/contract/subscription-bodies.ts';
import type { cancelTask, changeTask, createTask, rescheduleTask, triggerTask } from '@retrigger/contract/task-bodies.ts';
import type { claimed, commandState, reported, rescheduled, task, taskPage, triggered } from '@retrigger/contract/task-schema.ts';
import type { tenantSettings, tenantSettingsInForce } from '@retrigger/contract/tenant-settings-schema.ts';
import type { z } from 'zod';

/** Each may stand for the other. */
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;
type Is<Type, Schema extends z.ZodType> = Same<Type, z.infer<Schema>>;

type AllTrue<T extends true[]> = T;

export type Agreed = AllTrue<
  [
    Is<Client.CreateTask, typeof createTask>,
    Is<Client.ChangeTask, typeof changeTask>,
    Is<Client.TriggerTask, typeof triggerTask>,
    Is<Client.RescheduleTask, typeof rescheduleTask>,
    Is<Client.CancelTask, typeof cancelTask>,
    Is<Client.ClaimExecutions, typeof claimExecutions>,
    Is<Client.CompletedReport, typeof completedReport>,
    Is<Client.FailedReport, typeof failedReport>,
    Is<Bulk.BulkTrigger, typeof bulkTrigger>,
    Is<Bulk.BulkReschedule, typeof bulkReschedule>,
    Is<Bulk.BulkTriggered, typeof bulkTriggered>,
    Is<Bulk.BulkRescheduled, typeof bulkRescheduled>,
    Is<Client.Task, typeof task>,
    Is<Client.TaskPage, typeof taskPage>,
    Is<Client.Triggered, typeof triggered>,
    Is<Client.Rescheduled, typeof rescheduled>,
    Is<Client.TaskEvent, typeof event>,
    Is<Client.EventPage, typeof eventPage>,
    Is<Client.Verified, typeof verified>,
    Is<Client.TaskChanges, typeof taskChanges>,
    Is<Client.Execution, typeof claimed>,
    Is<Client.Reported, typeof reported>,
    Is<Client.CommandState, typeof commandState>,
    Is<Administration.CreateApiKey, typeof createApiKey>,
    Is<Administration.CreatedApiKey, typeof createdApiKey>,
    Is<Administration.ApiKeyPage, typeof apiKeyPage>,
    Is<Administration.TenantSettings, typeof tenantSettings>,
    Is<Administration.TenantSettingsInForce, typeof tenantSettingsInForce>,
    Is<Notifications.CreateSubscription, typeof createSubscription>,
    Is<Notifications.CreatedSubscription, typeof createdSubscription>,
    Is<Notifications.Subscription, typeof subscription>,
    Is<Notifications.SubscriptionList, typeof subscriptionList>,
    Is<Notifications.SubscriptionTest, typeof subscriptionTest>,
    Is<Notifications.DeadLetterPage, typeof deadLetterPage>,
    Is<Notifications.ClosedDeadLetter, typeof closedDeadLetter>,
    Is<Administration.Erasure, typeof erasure>,
    Is<Administration.Erased, typeof erased>,
  ]
>;
