import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { ENDS_WITH_US } from './small-disk.ts';

const NAMESPACES = ['unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];
/** What `ip netns` keeps is ours alone, too. The first process of a namespace fetches everybody's dead, as a shell does. */
const FIRST = 'mkdir -p /run/netns && mount -t tmpfs retrigger-test /run/netns; "$@"; exit $?';

/**
 * Starts a program in namespaces of its own for processes, mounts and the names of networks. Undefined where there are none for us: that needs Linux.
 * E1: whatever it starts, daemons too, ends with it, and it ends with us, however we end. E2: what we write to it ends when it is to end by itself.
 */
export function startEnclosed(command: string, args: string[], output: 'inherit' | 'pipe' = 'inherit'): ChildProcess | undefined {
  const enclose = (...what: string[]): [string, string[]] => {
    const user = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user'];
    const [first = '', ...more] = [...ENDS_WITH_US, ...NAMESPACES, ...user, 'sh', '-c', FIRST, 'sh', ...what];
    return [first, more];
  };
  if (spawnSync(...enclose('true')).status !== 0) return undefined;
  return spawn(...enclose(command, ...args), { stdio: ['pipe', output, output] });
}
