/**
 * Tests user namespaces and service account tokens on a real node. The policies require user namespaces and forbid
 * tokens.
 */
import assert from 'node:assert/strict';
import type { Json } from '../../hack/controlplane/api.ts';
import { NODE_NEEDS } from '../../hack/node/needs.ts';
import { NODE_NAME } from '../../hack/node/node.ts';
import { eventually } from '../support/harness.ts';
import { describeWith } from '../support/needs.ts';
import { NAMESPACES } from '../support/rendered.ts';
import { useNode } from './cluster.ts';
import { pod } from './pods.ts';

const USERS = ['/bin/grep', '', '/proc/self/uid_map'];
const TOKEN = ['/bin/grep', '-c', '', '/var/run/secrets/kubernetes.io/serviceaccount/token'];
/**
 * The ID map of a process without a separate user namespace. This map gives each ID in the container the same ID on the
 * node (user_namespaces(7)).
 */
const OF_THE_NODE = /^\s*0\s+0\s+4294967295$/m;

describeWith(NODE_NEEDS, 'a pod on a node', () => {
  const cluster = useNode();

  describe('under userNamespaces: Required with defaulting', () => {
    let namespace: string;

    before(async () => {
      namespace = await cluster.namespace('own-users');
      await cluster.policy('own-users', namespace, {
        level: 'baseline',
        mode: 'Enforce',
        defaulting: 'Enabled',
        overrides: { userNamespaces: 'Required' },
      });
    });

    it('a pod gets its own users, or does not start if the runtime does not support user namespaces', async () => {
      const { status } = await cluster.api.get(`/api/v1/nodes/${NODE_NAME}`);
      const own = pod('own', { command: USERS });
      if (status.runtimeHandlers?.some(({ features }: Json) => features?.userNamespaces)) {
        const { output } = await cluster.run(namespace, own);
        console.log(`      /proc/self/uid_map: ${output.trim()}`);
        assert.doesNotMatch(output, OF_THE_NODE);
        assert.match(output, /^\s*0\s+[1-9]\d*\s+65536$/m);
      } else {
        await cluster.api.create(`${NAMESPACES}/${namespace}/pods`, own);
        await eventually('kubelet to say that it cannot', async () => {
          const events = await cluster.api.list(`${NAMESPACES}/${namespace}/events`);
          return events.some(
            ({ involvedObject, message }) => involvedObject.name === 'own' && /user ?namespace/i.test(message),
          );
        });
      }
      const { spec } = await cluster.api.get(`${NAMESPACES}/${namespace}/pods/own`);
      assert.equal(spec.hostUsers, false);
    });

    it('a pod that uses the users of the node is refused', async () => {
      const shared = pod('shared', { command: USERS, spec: { hostUsers: true } });
      await assert.rejects(cluster.run(namespace, shared), /CapabilityPolicy own-users: userNamespaces: .*hostUsers/);
    });
  });

  describe('under serviceAccountToken: Forbidden', () => {
    let [forbidden, free]: string[] = [];

    before(async () => {
      [forbidden, free] = await Promise.all([cluster.namespace('no-token'), cluster.namespace('token')]);
      await cluster.policy('no-token', forbidden ?? '', {
        level: 'baseline',
        mode: 'Enforce',
        overrides: { serviceAccountToken: 'Forbidden' },
      });
    });

    it('has no file with a token', async () => {
      const spec = { automountServiceAccountToken: false };
      const { exitCode, output } = await cluster.run(forbidden ?? '', pod('without', { command: TOKEN, spec }));
      assert.match(output, /No such file/);
      assert.equal(exitCode, 2);
    });

    it('a pod with a service account token is refused, although another namespace admits the same pod', async () => {
      const { exitCode } = await cluster.run(free ?? '', pod('with', { command: TOKEN }));
      assert.equal(exitCode, 0);
      await assert.rejects(
        cluster.run(forbidden ?? '', pod('with', { command: TOKEN })),
        /CapabilityPolicy no-token: serviceAccountToken: /,
      );
    });
  });
});
