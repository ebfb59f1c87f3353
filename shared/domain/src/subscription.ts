export const CHANNELS = ['webhook', 'slack', 'email'] as const;
export type ChannelName = (typeof CHANNELS)[number];

/** Who wants to hear of which events, and where. Instants are ISO 8601. */
export type Subscription = {
  tenantId: string;
  id: string;
  channel: ChannelName;
  /** Where news goes: a URL, of a mail subscription an address. */
  address: string;
  /** Null = events of every type. */
  events: string[] | null;
  /** Null = of every task. */
  tasks: string[] | null;
  /** Only of tasks that are critical when the event is looked at. */
  criticalOnly: boolean;
  createdAt: string;
  /** Of its signing secret. */
  generation: number;
  /** Set when it kept failing: nothing but a test is sent until a test succeeds. */
  paused: { at: string; reason: string } | null;
  /** How the last test ended; `reason` is null when it arrived. */
  lastTest: { at: string; reason: string | null } | null;
};

/** Whether an event is among those that were asked for, criticality aside. */
export const wants = ({ events, tasks }: Pick<Subscription, 'events' | 'tasks'>, eventType: string, taskId: string): boolean =>
  (events?.includes(eventType) ?? true) && (tasks?.includes(taskId) ?? true);
