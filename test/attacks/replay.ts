/** Replays rows of the table of attacks on a real API server with the real operator. */
import assert from 'node:assert/strict';
import type { Answer, Api } from '../../hack/controlplane/api.ts';
import { freePorts } from '../../hack/controlplane/ports.ts';
import { CREATOR, serviceAccount, useCluster } from '../support/harness.ts';
import { allowEditor, grant } from '../support/namespace-changes.ts';
import { itIfOffered } from '../support/needs.ts';
import { NAMESPACES } from '../support/rendered.ts';
import type { Attack, Scene, Step } from './attack.ts';
import { OWNER } from './people.ts';
import { AGENT, SETTINGS } from './settings.ts';

/**
 * Declares a test for each attack, in the settings of SETTINGS that the attacks need.
 * @param prefix the prefix of the namespaces and policies
 * @param sections the attacks by the end of a sentence that begins with "attacks"
 */
export function replay(prefix: string, sections: Readonly<Record<string, readonly Attack[]>>): void {
  const needed = new Set(Object.values(sections).flatMap((attacks) => attacks.map(({ setting }) => setting)));
  const settings = Object.entries(SETTINGS).filter(([team]) => needed.has(team));
  let healthPort = 0;
  const cluster = useCluster(prefix, {
    args: async () => {
      [healthPort = 0] = await freePorts(1);
      return ['--health-probe-bind-address', `127.0.0.1:${healthPort}`];
    },
  });

  before(async function () {
    this.timeout(300_000);
    await allowEditor(cluster.api);
    await allowDebuggers(cluster.api);
    for (const [team, { older = {} }] of settings) {
      const namespace = await cluster.namespace(team, { team });
      await cluster.serviceAccount(namespace, AGENT);
      await allowOwner(cluster.api, namespace);
      for (const [name, pod] of Object.entries(older)) {
        await cluster.api.create(`${NAMESPACES}/${namespace}/pods`, { ...pod, metadata: { name } });
      }
    }
    const policies = settings.flatMap(([team, { policies }]) =>
      Object.entries(policies).map(([name, rules]) =>
        cluster.policy(name, { namespaceSelector: { matchLabels: { team } }, ...rules }),
      ),
    );
    await cluster.programmed(...(await Promise.all(policies)));
  });

  for (const [number, [section, attacks]] of Object.entries(sections).entries()) {
    describe(section, () => {
      for (const [index, { attempt, setting, needs, steps, expect, after }] of attacks.entries()) {
        itIfOffered(needs, `${attempt}: ${expect.title}`, async () => {
          const scene = { cluster, healthPort, namespace: cluster.named(setting), pod: `row-${number}-${index}` };
          try {
            expect.verify(await run(steps, scene), scene);
          } finally {
            await after?.(scene);
          }
        });
      }
    });
  }
}

/** @returns the answer to the last step */
async function run(steps: readonly Step[], scene: Scene): Promise<Answer> {
  const last = steps.at(-1) as Step;
  for (const step of steps.slice(0, -1)) {
    const { status, body } = await step(scene);
    assert.ok(status < 300, `a step before the last: ${status} ${body.message}`);
  }
  return last(scene);
}

/** Grants `CREATOR` the right to change pods through all subresources. The role `edit` does not grant this right. */
async function allowDebuggers(api: Api): Promise<void> {
  const subresources = ['ephemeralcontainers', 'resize', 'status', 'binding', 'eviction'];
  const resources = [...subresources.map((one) => `pods/${one}`), 'bindings'];
  const rules = [{ apiGroups: [''], resources, verbs: ['get', 'create', 'update', 'patch'] }];
  for (const user of [CREATOR.user, serviceAccount('attacks-halves', AGENT).user]) await grant(api, user, rules);
}

/** Gives `OWNER` the rights of a namespace's administrator. */
async function allowOwner(api: Api, namespace: string): Promise<void> {
  const apiGroup = 'rbac.authorization.k8s.io';
  await api.apply(`/apis/${apiGroup}/v1/namespaces/${namespace}/rolebindings/owner`, {
    apiVersion: `${apiGroup}/v1`,
    kind: 'RoleBinding',
    metadata: { name: 'owner' },
    roleRef: { apiGroup, kind: 'ClusterRole', name: 'admin' },
    subjects: [{ apiGroup, kind: 'User', name: OWNER.user }],
  });
}
