import { type KafkaClientPorts, type KafkaConnection, kafkaClient, SHORT_RETRIES } from './kafka-client.ts';

/** A group, and the topic that it reads, by their names on the brokers. */
export type GroupOfTopic = { group: string; topic: string };

const NOBODY = ['Empty', 'Dead'];

/**
 * Takes groups back to the first record of each partition that was appended at or after `sinceMs`; none goes forward. `in_use`: these have members, and nothing
 * was changed. With no groups to take back it only looks.
 */
export async function rewindGroups(
  connection: KafkaConnection,
  { unused, rewound, sinceMs }: { unused: string[]; rewound: GroupOfTopic[]; sinceMs: number },
  ports: KafkaClientPorts,
): Promise<{ kind: 'rewound' } | { kind: 'in_use'; groups: string[] }> {
  const admin = kafkaClient(connection, ports, SHORT_RETRIES).admin();
  await admin.connect();
  try {
    const { groups } = await admin.describeGroups(unused);
    const busy = groups.filter(({ state }) => !NOBODY.includes(state)).map(({ groupId }) => groupId);
    if (busy.length > 0) return { kind: 'in_use', groups: busy };
    for (const { group, topic } of rewound) {
      const [committed] = await admin.fetchOffsets({ groupId: group, topics: [topic] });
      const passed = new Map(committed?.partitions.map(({ partition, offset }) => [partition, Number(offset)]));
      const found = await admin.fetchTopicOffsetsByTimestamp(topic, sinceMs);
      const partitions = found.flatMap(({ partition, offset }) => {
        const next = passed.get(partition) ?? -1; // -1: it never committed, and begins at the earliest
        return next < 0 ? [] : [{ partition, offset: String(Math.min(next, Number(offset))) }];
      });
      if (partitions.length > 0) await admin.setOffsets({ groupId: group, topic, partitions });
    }
    return { kind: 'rewound' };
  } finally {
    await admin.disconnect();
  }
}
