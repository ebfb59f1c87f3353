import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { KafkaLogOptions } from '@retrigger/kafka/kafka-log.ts';

/** A line that a member wrote; `at` in epoch milliseconds. */
export type MemberLine = { at: number; assigned?: number[]; revoked?: number[]; batch?: string[] };

export type Member = { lines: MemberLine[]; owned(): number; signal(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void };

/** Starts a consumer of `work` in group `g` in a process of its own. */
export function startMember({ connection, topics, prefix }: KafkaLogOptions): Member {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'member-process.ts'), JSON.stringify({ connection, topics, prefix })], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: MemberLine[] = [];
  createInterface(child.stdout).on('line', (line) => lines.push(JSON.parse(line)));
  return {
    lines,
    owned: () => lines.reduce((count, { assigned, revoked }) => count + (assigned?.length ?? 0) - (revoked?.length ?? 0), 0),
    signal: (signal) => void child.kill(signal),
  };
}
