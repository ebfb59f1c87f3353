import kafkajs from 'kafkajs';

const NAME = 'retrigger-sticky';

/** What a member says when it joins: the partitions that it has now. */
export type Claims = () => number[];

/**
 * Assigns the partitions of the one subscribed topic so that every member has nearly as many as each other and keeps what it has, so that a deploy
 * moves few partitions, and with them few caches and running calls.
 * `beforeJoin` runs before every join of this member and may hold it up, or refuse it by throwing: KafkaJS looks for the group's coordinator then, and
 * nowhere else.
 */
export const stickyAssigner =
  (claims: Claims, beforeJoin: () => Promise<void>): kafkajs.PartitionAssigner =>
  ({ cluster }) => {
    const findGroupCoordinator = cluster.findGroupCoordinator.bind(cluster);
    cluster.findGroupCoordinator = async (group) => {
      await beforeJoin();
      return findGroupCoordinator(group);
    };
    return {
      name: NAME,
      version: 0,
      protocol: ({ topics }) => ({
        name: NAME,
        metadata: kafkajs.AssignerProtocol.MemberMetadata.encode({ version: 0, topics, userData: Buffer.from(JSON.stringify(claims())) }),
      }),
      async assign({ members, topics }) {
        const [topic = ''] = topics;
        const partitions = cluster.findTopicPartitionMetadata(topic).map(({ partitionId }) => partitionId);
        const claimed = new Map(members.map(({ memberId, memberMetadata }) => [memberId, claimsIn(memberMetadata)]));
        return [...share(partitions, claimed)].map(([memberId, assigned]) => ({
          memberId,
          memberAssignment: kafkajs.AssignerProtocol.MemberAssignment.encode({
            version: 0,
            assignment: { [topic]: assigned },
            userData: Buffer.alloc(0),
          }),
        }));
      },
    };
  };

/** Partitions by member: each has the floor or the ceiling of the mean, its claims first. Of two claims the first member's, by id, counts. */
export function share(partitions: number[], claims: Map<string, number[]>): Map<string, number[]> {
  const members = [...claims.keys()].sort();
  const floor = Math.floor(partitions.length / members.length);
  let extra = partitions.length % members.length;
  const free = new Set(partitions);
  const shares = new Map<string, number[]>();
  // Who claims most is served first, so that the places above the floor go to those who would otherwise lose one.
  for (const member of members.toSorted((a, b) => (claims.get(b)?.length ?? 0) - (claims.get(a)?.length ?? 0))) {
    const wanted = (claims.get(member) ?? []).filter((partition) => free.has(partition));
    const kept = wanted.slice(0, floor + (extra > 0 ? 1 : 0));
    if (kept.length > floor) extra--;
    for (const partition of kept) free.delete(partition);
    shares.set(member, kept);
  }
  const rest = [...free].sort((a, b) => a - b);
  for (const assigned of shares.values()) assigned.push(...rest.splice(0, Math.max(0, floor - assigned.length)));
  for (const assigned of shares.values()) if (assigned.length === floor && extra-- > 0) assigned.push(...rest.splice(0, 1));
  return shares;
}

/** Metadata of a member of an older version, or of another program, claims nothing. */
function claimsIn(metadata: Buffer): number[] {
  try {
    const claims: unknown = JSON.parse(kafkajs.AssignerProtocol.MemberMetadata.decode(metadata)?.userData.toString() ?? '[]');
    return Array.isArray(claims) ? claims.filter((claim) => Number.isInteger(claim)) : [];
  } catch {
    return [];
  }
}
