/** Tests the profiles of `kubectl debug` on a running pod, under a policy that allows NET_RAW. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Json } from '../../hack/controlplane/api.ts';
import { NODE_ADDRESS } from '../../hack/node/configuration.ts';
import { TOOLS_IMAGE } from '../../hack/node/images.ts';
import { NODE_NEEDS } from '../../hack/node/needs.ts';
import { eventually } from '../support/harness.ts';
import { describeWith } from '../support/needs.ts';
import { NAMESPACES } from '../support/rendered.ts';
import { useNode } from './cluster.ts';
import { pod, RESTRICTED } from './pods.ts';

const PING = ['/bin/ping-permitted', '-c', '1', NODE_ADDRESS];
const STATUS = ['/bin/grep', '-E', '^(Uid|Cap|NoNewPrivs)', '/proc/self/status'];

describeWith(NODE_NEEDS, 'kubectl debug', () => {
  const cluster = useNode();
  let namespace: string;

  before(async () => {
    namespace = await cluster.namespace('debug');
    await cluster.policy('debug', namespace, {
      level: 'restricted',
      mode: 'Enforce',
      overrides: { capabilities: { allowedAdd: ['NET_BIND_SERVICE', 'NET_RAW'] } },
    });
    // The pod's runAsUser also applies to the debug container.
    const { runAsUser, ...container } = RESTRICTED;
    await cluster.running(
      namespace,
      pod('app', { securityContext: container, spec: { securityContext: { runAsUser } } }),
    );
  });

  it('runs with profile restricted, and holds nothing', async () => {
    const { exitCode, output } = await debug('restricted', ['--profile=restricted'], STATUS);
    assert.equal(exitCode, 0);
    assert.match(output, /^Uid:\t1000\t/m);
    assert.match(output, /^CapBnd:\t0{16}$/m);
    assert.match(output, /^NoNewPrivs:\t1$/m);
  });

  for (const profile of ['netadmin', 'sysadmin', 'general', 'baseline']) {
    it(`is refused with profile ${profile}, by the policy`, async () => {
      const refused = new RegExp(`CapabilityPolicy debug: .*container "${profile}"`);
      await assert.rejects(debug(profile, [`--profile=${profile}`], STATUS), refused);
    });
  }

  it('names the capability that profile netadmin adds', async () => {
    const message = /must not add capability NET_ADMIN \(allowed: NET_BIND_SERVICE, NET_RAW\)/;
    await assert.rejects(debug('netadmin', ['--profile=netadmin'], STATUS), message);
  });

  it('the debug container can ping with a custom profile that adds NET_RAW', async () => {
    const { exitCode, output } = await debug('custom', ['--profile=restricted', custom({ add: ['NET_RAW'] })], PING);
    assert.match(output, /1 packets transmitted, 1 received/);
    assert.equal(exitCode, 0);
  });

  it('the debug container is refused with a custom profile that adds SYS_PTRACE', async () => {
    const debugging = debug('ptrace', ['--profile=restricted', custom({ add: ['SYS_PTRACE'] })], PING);
    await assert.rejects(debugging, /must not add capability SYS_PTRACE/);
  });

  /**
   * Runs a command in an ephemeral container until the command ends.
   * @throws an Error with kubectl's message when the container is refused
   */
  async function debug(container: string, flags: readonly string[], command: readonly string[]) {
    const where = ['app', '--namespace', namespace, `--container=${container}`, `--image=${TOOLS_IMAGE}`];
    await cluster.kubectl('debug', ...where, '--attach=false', ...flags, '--', ...command);
    const path = `${NAMESPACES}/${namespace}/pods/app`;
    const { exitCode } = await eventually(`container ${container} to end`, async () => {
      const { status } = await cluster.api.get(path);
      const found = status.ephemeralContainerStatuses?.find(({ name }: Json) => name === container);
      return found?.state.terminated;
    });
    const { stdout } = await cluster.kubectl('logs', 'app', '--namespace', namespace, `--container=${container}`);
    return { exitCode, output: stdout };
  }

  /**
   * @returns the flag for a custom profile with the given capabilities. The given capabilities replace the capabilities
   * of the built-in profile.
   */
  function custom(capabilities: { readonly add: readonly string[] }): string {
    const file = join(cluster.node.controlPlane.dir, `profile-${capabilities.add.join('-')}.json`);
    writeFileSync(file, JSON.stringify({ securityContext: { capabilities: { drop: ['ALL'], ...capabilities } } }));
    return `--custom=${file}`;
  }
});
