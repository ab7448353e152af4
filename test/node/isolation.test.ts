/**
 * Tests that a running node changes nothing on the machine. A node also leaves nothing behind, even if it is killed.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { TOOLS_IMAGE } from '../../hack/node/images.ts';
import { NODE_NEEDS } from '../../hack/node/needs.ts';
import { eventually } from '../support/harness.ts';
import { describeWith } from '../support/needs.ts';

const MAIN = join(import.meta.dirname, '..', '..', 'hack', 'controlplane', 'main.ts');
const CGROUPS = '/sys/fs/cgroup';
/** Settings of the whole machine that kubelet, containerd and CNI plug-ins change. The list has no counters. */
const SETTINGS = ['vm', 'kernel', 'kernel/keys', 'net/ipv4', 'net/ipv4/conf/all', 'net/core', 'user'];
const COUNTERS = /^kernel\/(random|ns_last_pid|pty)|^kernel\/keys\/.*_used|_nr$|^net\/ipv4\/(tcp_mem|udp_mem)/;

describeWith(NODE_NEEDS, 'a machine with a node', () => {
  let folder: string;
  let untouched: object;
  let node: ChildProcess;
  const groups: string[] = [];

  before(async function () {
    this.timeout(40 * 60_000);
    folder = mkdtempSync(join(tmpdir(), 'capabilitypolicy-isolation-'));
    untouched = machine();
    node = spawn(process.execPath, [MAIN, '--node'], {
      env: { ...process.env, TMPDIR: folder },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const lines: string[] = [];
    createInterface({ input: node.stdout as NodeJS.ReadableStream }).on('line', (line) => lines.push(line));
    await eventually(
      'the node',
      async () => {
        if (node.exitCode !== null) throw new Error(`it ended with ${node.exitCode}`);
        return lines.length === 2;
      },
      35 * 60_000,
    );
    const [kubeconfig = '', path = ''] = lines.map((line) => /'([^']*)'/.exec(line)?.[1] ?? '');
    const kubectl = (...args: string[]) => execFileSync(join(path, 'kubectl'), ['--kubeconfig', kubeconfig, ...args]);
    kubectl('run', 'app', `--image=${TOOLS_IMAGE}`);
    kubectl('wait', '--for=condition=Ready', 'pod/app', '--timeout=240s');
    groups.push(...cgroupsOf(folder));
  });
  after(() => {
    node?.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });

  it('the machine keeps its mounts, network interfaces and settings while the node runs a pod', () => {
    assert.ok(groups.some((group) => readdirSync(group).includes('kubepods')));
    assert.deepEqual(machine(), untouched);
  });

  it('after the node was killed, no process, control group or file of the node remains', async () => {
    const ended = once(node, 'exit');
    node.kill('SIGKILL');
    await ended;
    await eventually('the control groups to go', async () => !groups.some((group) => existsSync(group)));
    await eventually('the processes to go', async () => processesOf(folder).length === 0);
    await eventually('the files to go', async () => readdirSync(folder).length === 0);
    assert.deepEqual(machine(), untouched);
  });
});

/** The state of the machine that a node must not change. */
function machine(): object {
  return { mounts: mountPoints(), interfaces: readdirSync('/sys/class/net').sort(), settings: settings() };
}

function mountPoints(): string[] {
  const lines = readFileSync('/proc/self/mounts', 'utf8').trim().split('\n');
  return lines.map((line) => line.split(' ')[1] as string).sort();
}

function settings(): Record<string, string> {
  const found: Record<string, string> = {};
  for (const group of SETTINGS) {
    for (const { name, parentPath } of readdirSync(join('/proc/sys', group), { withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    )) {
      const key = join(group, name);
      if (COUNTERS.test(key)) continue;
      try {
        found[key] = readFileSync(join(parentPath, name), 'utf8');
      } catch {
        // A write-only file cannot be read.
      }
    }
  }
  return found;
}

/**
 * The control groups of all nodes whose folders are in `folder`. Each control group has the name of the node's folder.
 */
function cgroupsOf(folder: string): string[] {
  const names = readdirSync(folder).filter((name) => name.startsWith('capabilitypolicy-node-'));
  const hierarchies = [CGROUPS, ...readdirSync(CGROUPS).map((name) => join(CGROUPS, name))];
  return names.flatMap((name) =>
    hierarchies.map((hierarchy) => join(hierarchy, name)).filter((path) => existsSync(path)),
  );
}

/** The IDs of the processes whose command lines contain the folder. */
function processesOf(folder: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(join('/proc', pid, 'cmdline'), 'utf8').includes(folder);
    } catch {
      return false;
    }
  });
}
