/**
 * Names that one holder at a time has, over all processes, each for a bounded time. They keep processes out of each other's way; what is stored once never
 * rests on them.
 * H1: while a lease runs, whoever takes its name is told the same holder.
 * H2: only its holder ends a lease.
 */
export interface Leases {
  /** Takes the name unless somebody has it, and tells who has it now. Taking what one has already makes it last so long from now. */
  take(name: string, holder: string, forMs: number): Promise<string>;
  /** Ends the lease if this holder has it. */
  end(name: string, holder: string): Promise<void>;
  close(): Promise<void>;
}
