/**
 * Makes a separate network for the test. Each API server publishes its own address, and Kubernetes refuses endpoints
 * with a loopback address. The loopback interface of the test's network therefore gets additional addresses. No packet
 * leaves the network.
 */
import { spawnSync } from 'node:child_process';

/** No host has these addresses, because RFC 5737 reserves these addresses for documentation. */
export const ADDRESSES = ['192.0.2.1', '192.0.2.2'] as const;

/**
 * Runs a command in a network namespace with ADDRESSES. The command writes its output to the output of this process.
 *
 * @returns the command's exit code
 * @throws an error that names the missing requirement if no network namespace can be created
 */
export function runInOwnNetwork(command: readonly string[]): number {
  const asRoot = process.getuid?.() === 0 ? [] : ['--map-root-user'];
  const addresses = ADDRESSES.map((address) => `ip address add ${address}/32 dev lo`);
  const script = ['ip link set lo up', ...addresses, 'exec "$@"'].join(' && ');
  const { status, error } = spawnSync('unshare', [...asRoot, '--net', 'sh', '-c', script, 'sh', ...command], {
    stdio: 'inherit',
  });
  if (error)
    throw new Error(`no network of our own: ${error.message}; it takes Linux, unshare (util-linux) and ip (iproute2)`);
  return status ?? 1;
}
