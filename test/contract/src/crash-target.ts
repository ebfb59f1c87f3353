import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { DecisionStore } from '@retrigger/ports/decision-store.ts';
import type { EventStore } from '@retrigger/ports/event-store.ts';
import type { Log } from '@retrigger/ports/log.ts';
import type { CrashPoint, Reached } from '@retrigger/ports/reached.ts';
import type { ReceiptStore } from '@retrigger/ports/receipt-store.ts';
import type { SnapshotStore } from '@retrigger/ports/snapshot-store.ts';

/** What a module opens in whichever process imports it. Only what the suite needs has to be there. */
export type CrashSubject = {
  log?: Log;
  events?: EventStore;
  receipts?: ReceiptStore;
  snapshots?: SnapshotStore;
  decisions?: DecisionStore;
  close(): Promise<void>;
};

/** A module whose `open` opens an adapter on the data that `place` names (JSON), telling `reached` where it is. */
export type CrashModule = { open(place: unknown, reached: Reached): Promise<CrashSubject> };

/** Where that module is, and a new place for each test. */
export type CrashTarget = { module: URL; place(): Promise<unknown> };

export type CrashTask = {
  scenario: 'events' | 'decisions' | 'emit';
  /** Unique to the test: the tenant of what is written, or the topic. */
  name: string;
  point: CrashPoint;
  /** The process kills itself when it has reached the point for this time, counted from 1. */
  time: number;
  place: unknown;
  module: string;
};

const CHILD = fileURLToPath(new URL('./crash-child.ts', import.meta.url));

/** Runs the scenario in a process that kills itself with SIGKILL; resolves with the numbers of the writes that were acknowledged before. */
export async function runUntilKilled(task: CrashTask, timeoutMs: number): Promise<number[]> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', CHILD, JSON.stringify(task)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: timeoutMs,
    killSignal: 'SIGTERM',
  });
  const [output, errors]: string[][] = [[], []];
  child.stdout.on('data', (chunk: Buffer) => output?.push(chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => errors?.push(chunk.toString()));
  const [code, signal] = await once(child, 'close');
  if (signal !== 'SIGKILL') throw new Error(`the process ended with ${code ?? signal} instead of being killed: ${errors?.join('')}`);
  return (output ?? [])
    .join('')
    .split('\n')
    .filter((line) => line !== '')
    .map(Number);
}

/** Opens the adapter in this process, on what the killed one left. */
export async function openAfterCrash({ module }: CrashTarget, place: unknown): Promise<CrashSubject> {
  const { open }: CrashModule = await import(module.href);
  return open(place, () => {});
}
