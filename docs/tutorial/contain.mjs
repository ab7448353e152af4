/**
 * Runs a program as user 1000 in a container of runc. The container holds the named capabilities and no others. The
 * container has a separate network with only the loopback interface. Needs root. Belongs to docs/tutorial.md.
 *
 *   node contain.mjs [--cap-add NAME]... [--no-new-privileges] [--sysctl NAME=VALUE] -- PROGRAM [ARGUMENT]...
 *
 * The root file system is ./rootfs. Exits with the program's exit code.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    'cap-add': { type: 'string', multiple: true, default: [] },
    'no-new-privileges': { type: 'boolean', default: false },
    // By default, the kernel requires NET_RAW for every ping.
    sysctl: { type: 'string', default: 'net.ipv4.ping_group_range=1 0' },
  },
});
const capabilities = values['cap-add'].map((name) => `CAP_${name}`);
const [sysctl, setting] = values.sysctl.split('=');

const bundle = mkdtempSync(join(tmpdir(), 'contain-'));
const config = {
  ociVersion: '1.0.2',
  process: {
    user: { uid: 1000, gid: 1000 },
    args: positionals,
    env: ['PATH=/bin'],
    cwd: '/',
    // As in the container runtimes of Kubernetes, the inheritable and the ambient set stay empty.
    capabilities: { bounding: capabilities, permitted: capabilities, effective: capabilities },
    noNewPrivileges: values['no-new-privileges'],
  },
  root: { path: resolve('rootfs'), readonly: true },
  mounts: [
    { destination: '/proc', type: 'proc', source: 'proc' },
    { destination: '/dev', type: 'tmpfs', source: 'tmpfs' },
  ],
  linux: {
    namespaces: ['pid', 'mount', 'network'].map((type) => ({ type })),
    sysctl: { [sysctl]: setting },
  },
};
writeFileSync(join(bundle, 'config.json'), JSON.stringify(config));
const { status } = spawnSync('runc', ['run', '--bundle', bundle, basename(bundle)], { stdio: 'inherit' });
rmSync(bundle, { recursive: true });
process.exitCode = status ?? 1;
