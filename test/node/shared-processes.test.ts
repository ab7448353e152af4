/**
 * Tests a pod with `shareProcessNamespace`. The test checks what a container can do to another container of the pod.
 * The other container has more capabilities.
 */
import assert from 'node:assert/strict';
import { TOOLS_IMAGE } from '../../hack/node/images.ts';
import { NODE_NEEDS } from '../../hack/node/needs.ts';
import { describeWith } from '../support/needs.ts';
import { podManifest } from '../support/pod-manifests.ts';
import { useNode } from './cluster.ts';

/**
 * The other container sleeps for this number of seconds. The script searches for this number to find the process of the
 * other container.
 */
const SECONDS = 7_654;
/**
 * A script that tries operations on the process of the other container, and prints the permitted operations. Signals
 * are tried last.
 */
const SCRIPT = `
find() { for p in /proc/[0-9]*; do /bin/grep -qzx ${SECONDS} $p/cmdline 2>/dev/null && echo $p; done; }
while [ -z "$(find)" ]; do /bin/sleep 1; done
p=$(find)
/bin/grep -qz . $p/environ 2>/dev/null && echo reads its environment
[ -e $p/root/bin/sh ] && echo reads its files
kill -KILL \${p#/proc/} 2>/dev/null && echo kills it
echo end`;

describeWith(NODE_NEEDS, 'a container that shares the process namespace of its pod', () => {
  const cluster = useNode();
  let namespace: string;

  before(async () => {
    namespace = await cluster.namespace('shared-processes');
    await cluster.policy('shared-processes', namespace, {
      level: 'baseline',
      mode: 'Enforce',
      containers: [{ names: ['strong'], overrides: { capabilities: { allowedAdd: ['NET_ADMIN'] } } }],
    });
  });

  const strong = { capabilities: { add: ['NET_ADMIN'] } };
  const cases = [
    ['of the same user, with fewer capabilities: it can end the other container only', {}, strong, ['kills it']],
    ['of another user: it can do nothing', { runAsUser: 1000 }, strong, []],
    [
      'of the same user, with the same capabilities: it can do all of it',
      {},
      {},
      ['reads its environment', 'reads its files', 'kills it'],
    ],
  ] as const;
  cases.forEach(([title, securityContext, ofOther, expected], i) => {
    it(title, async () => {
      const container = (name: string, command: readonly string[], context: object) => ({
        name,
        image: TOOLS_IMAGE,
        command,
        securityContext: context,
      });
      const { output } = await cluster.run(
        namespace,
        podManifest(
          { name: `case-${i}` },
          {
            restartPolicy: 'Never',
            shareProcessNamespace: true,
            activeDeadlineSeconds: 60,
            containers: [
              container('weak', ['/bin/sh', '-c', SCRIPT], securityContext),
              container('strong', ['/bin/sleep', String(SECONDS)], ofOther),
            ],
          },
        ),
      );
      assert.deepEqual(output.trim().split('\n'), [...expected, 'end']);
    });
  });
});
