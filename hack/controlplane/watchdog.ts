/**
 * Ends the servers of a control plane when the process that started the control plane has ended. It does not matter
 * why the process ended. For example, the watchdog also ends the servers after a crash or SIGKILL.
 *
 * The standard input of the watchdog is a pipe. Only the process that started the control plane holds the other end of
 * the pipe. The kernel closes the pipe even after SIGKILL. Each line of input is a command. `+pid` means that the
 * server with this process ID runs. `-pid` means that the server has ended. `/path` names a folder or control group to
 * remove at the end.
 */
import { rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { removeCgroup } from '../node/cgroup.ts';

const servers = new Set<number>();
const folders: string[] = [];

for await (const line of createInterface({ input: process.stdin })) {
  const pid = Number(line.slice(1));
  if (line.startsWith('+')) {
    servers.add(pid);
  } else if (line.startsWith('-')) {
    servers.delete(pid);
  } else {
    folders.push(line);
  }
}

for (const pid of servers) {
  kill(pid);
}
if (servers.size > 0) {
  // A server that is ending may still write a file into a folder that is being removed.
  await sleep(200);
}
for (const folder of folders) {
  // Programs cannot remove the files of a control group. The files disappear together with the group.
  if (folder.startsWith('/sys/fs/cgroup/')) await removeCgroup(folder);
  else rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // The server has ended by itself.
  }
}
