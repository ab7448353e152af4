/**
 * Tests a pod that violates the deciding policies. The image of a violating pod cannot be changed. Pod Security
 * Admission also refuses a change of the image of a violating pod.
 */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer, Json } from '../../hack/controlplane/api.ts';
import type { CapabilityPolicySpec } from '../../operator/api/capability-policy.ts';
import { ADMITTED, CREATOR, eventually, useCluster } from '../support/harness.ts';
import { vanish } from '../support/observed.ts';
import { podManifest, privilegedPod, restrictedPod } from '../support/pod-manifests.ts';
import { NAMESPACES, POLICIES } from '../support/rendered.ts';

const MERGE = 'application/strategic-merge-patch+json';
const AS_ROOT = { runAsUser: 0, runAsNonRoot: false, capabilities: { add: ['SYS_ADMIN'] } };
const PLAIN = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } };
const LISTS = ['containers', 'initContainers'] as const;
type List = (typeof LISTS)[number];

describe('the image of a container', function () {
  this.timeout(300_000);
  const cluster = useCluster('image-changes');

  function enforce(team: string, rest: Partial<CapabilityPolicySpec> = {}): CapabilityPolicySpec {
    const namespaceSelector = { matchLabels: { team } };
    return { namespaceSelector, level: 'restricted', mode: 'Enforce', podSecurityLabels: 'Off', ...rest };
  }

  describe('that an exception admitted by its images', () => {
    const exception = (team: string, rest: Partial<CapabilityPolicySpec> = {}) =>
      enforce(team, {
        priority: 10,
        level: 'privileged',
        overrides: { privileged: false, capabilities: { allowedAdd: ['NET_BIND_SERVICE'] } },
        containers: [
          {
            names: ['proxy'],
            images: ['example.org/proxy:*'],
            overrides: { capabilities: { allowedAdd: ['SYS_ADMIN'] } },
          },
        ],
        ...rest,
      } as Partial<CapabilityPolicySpec>);

    const ends: Readonly<Record<string, (team: string, name: string) => Promise<unknown>>> = {
      'is deleted': (_team, name) => cluster.deletePolicy(name),
      'expires while the operator runs': (team, name) => {
        const expires = new Date(Date.now() + 2_000).toISOString().replace(/[.]\d+/, '');
        return cluster.policy(suffixOf(name), exception(team, { expires }));
      },
      'loses the entry': (_team, name) => cluster.api.patch(`${POLICIES}/${name}`, { spec: { containers: null } }),
      'gets mode Audit': (_team, name) => cluster.api.patch(`${POLICIES}/${name}`, { spec: { mode: 'Audit' } }),
      'lists another image': (_team, name) =>
        cluster.api.patch(`${POLICIES}/${name}`, {
          spec: {
            containers: [
              {
                names: ['proxy'],
                images: ['example.org/other:*'],
                overrides: { capabilities: { allowedAdd: ['SYS_ADMIN'] } },
              },
            ],
          },
        }),
      'selects other namespaces': (_team, name) =>
        cluster.api.patch(`${POLICIES}/${name}`, {
          spec: { namespaceSelector: { matchLabels: { team: 'image-changes-nobody' } } },
        }),
    };

    for (const [index, [what, end]] of Object.entries(ends).entries()) {
      it(`cannot be changed when the exception ${what}, also of a sidecar`, async () => {
        const team = `ending-${index}`;
        const namespace = await cluster.namespace(team, { team });
        const base = await cluster.policy(`base-${index}`, enforce(team));
        const name = await cluster.policy(`exception-${index}`, exception(team));
        await cluster.programmed(base, name);
        for (const list of LISTS) await create(namespace, list, proxied(list));

        for (const list of LISTS) {
          assert.equal((await setImage(namespace, list, list, 'proxy', 'example.org/proxy:2')).status, 200);
          const { status, body } = await setImage(namespace, list, list, 'proxy', 'example.org/shell:1');
          assert.equal(status, 403, body.message);
          assert.match(body.message, new RegExp(`CapabilityPolicy ${name}: capabilities: [^|]*"proxy"`));
        }

        await end(team, name);
        await eventually('the exception to end', async () => {
          return (await cluster.admit(proxied('containers'), namespace)) !== ADMITTED;
        });
        // An API server may still enforce its old program for a moment after the policy has expired.
        await sleep(2_000);
        for (const list of LISTS) {
          for (const image of ['example.org/shell:1', 'example.org/proxy:2', 'example.org/other:1']) {
            const { status, body } = await setImage(namespace, list, list, 'proxy', image);
            // One policy lists another image. The policy that lists another image admits a change to
            // `example.org/other:1`.
            if (what === 'lists another image' && image === 'example.org/other:1')
              assert.equal(status, 200, body.message);
            else assert.equal(status, 403, `${image}: ${body.message}`);
          }
          assert.equal((await setImage(namespace, list, list, 'proxy', 'example.org/proxy:1')).status, 200);
          assert.equal((await label(namespace, list)).status, 200);
        }
      });
    }
  });

  describe('a pod that is older than the policy, in a namespace without Pod Security labels', () => {
    let namespace: string;
    let policy: string;

    before(async () => {
      namespace = await cluster.namespace('older', { team: 'older' });
      await create(namespace, 'violates', privilegedPod());
      for (const list of LISTS) await create(namespace, `half-${list}`, halfViolating(list));
      await create(namespace, 'complies', restrictedPod());
      policy = await cluster.policy('older', enforce('older'));
      await cluster.programmed(policy);
    });

    for (const [title, pod, list, container] of [
      ['that violates', 'violates', 'containers', 'main'],
      ['another container of which violates', 'half-containers', 'containers', 'good'],
      ['an init container of which violates', 'half-initContainers', 'containers', 'main'],
      ['of the init container that violates', 'half-initContainers', 'initContainers', 'bad'],
    ] as const) {
      it(`cannot be changed: ${title}`, async () => {
        for (const send of [setImage, putImage]) {
          const { status, body } = await send(namespace, pod, list, container, 'example.org/app:2');
          assert.equal(status, 403, body.message);
          assert.match(body.message, new RegExp(`CapabilityPolicy ${policy}: `));
        }
      });
    }

    it('can be changed if the pod complies', async () => {
      for (const send of [setImage, putImage]) {
        assert.equal((await send(namespace, 'complies', 'containers', 'main', 'example.org/app:2')).status, 200);
      }
    });

    it('changes of a violating pod that do not change an image are admitted', async () => {
      for (const pod of ['violates', 'half-containers', 'half-initContainers']) {
        assert.equal((await label(namespace, pod)).status, 200);
        const { status, body } = await cluster.api.ask('PATCH', `${NAMESPACES}/${namespace}/pods/${nameOf(pod)}`, {
          body: { spec: { activeDeadlineSeconds: 1_000 } },
          contentType: MERGE,
          as: CREATOR,
          query: { dryRun: 'All' },
        });
        assert.equal(status, 200, body.message);
      }
    });

    it('an image cannot be changed if only Pod Security Admission refuses the pod', async () => {
      const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
      const compared = await cluster.namespace('compared');
      await create(compared, 'violates', privilegedPod());
      await cluster.api.patch(`${NAMESPACES}/${compared}`, { metadata: { labels } });
      await eventually(
        'Pod Security to refuse',
        async () => (await cluster.admit(privilegedPod(), compared)) !== ADMITTED,
      );
      const { status, body } = await setImage(compared, 'violates', 'containers', 'main', 'example.org/app:2');
      assert.equal(status, 403, body.message);
      assert.match(body.message, /violates PodSecurity/);
      // The namespace is deleted, because its label would look like a label that the operator forgot.
      await vanish(cluster.api, compared);
    });

    it('an image can be changed if the policy only warns, or is pending', async () => {
      const warned = await cluster.namespace('warned', { team: 'warned' });
      const pending = await cluster.namespace('pending', { team: 'pending' });
      for (const one of [warned, pending]) await create(one, 'violates', privilegedPod());
      const policies = [
        await cluster.policy('warned', enforce('warned', { mode: 'Warn' })),
        await cluster.policy('pending', enforce('pending', { rollout: { paused: true } })),
      ];
      await cluster.programmed(...policies);
      await sleep(500);
      for (const one of [warned, pending]) {
        const { status, body } = await setImage(one, 'violates', 'containers', 'main', 'example.org/app:2');
        assert.equal(status, 200, `${one}: ${body.message}`);
      }
    });
  });

  function suffixOf(policy: string): string {
    return policy.slice(cluster.named('').length);
  }

  async function create(namespace: string, name: string, pod: object): Promise<void> {
    const { metadata, ...rest } = pod as Json;
    const body = { ...rest, metadata: { ...metadata, name: nameOf(name) } };
    const { status, body: answer } = await cluster.api.ask('POST', `${NAMESPACES}/${namespace}/pods`, {
      body,
      as: CREATOR,
    });
    assert.equal(status, 201, answer.message);
  }

  /** Changes an image by dry run. The functions below send their requests as dry runs, too. */
  function setImage(namespace: string, pod: string, list: List, container: string, image: string): Promise<Answer> {
    return cluster.api.ask('PATCH', `${NAMESPACES}/${namespace}/pods/${nameOf(pod)}`, {
      body: { spec: { [list]: [{ name: container, image }] } },
      contentType: MERGE,
      as: CREATOR,
      query: { dryRun: 'All' },
    });
  }

  async function putImage(
    namespace: string,
    pod: string,
    list: List,
    container: string,
    image: string,
  ): Promise<Answer> {
    const path = `${NAMESPACES}/${namespace}/pods/${nameOf(pod)}`;
    const body = await cluster.api.get(path);
    for (const one of body.spec[list]) if (one.name === container) one.image = image;
    return cluster.api.ask('PUT', path, { body, as: CREATOR, query: { dryRun: 'All' } });
  }

  function label(namespace: string, pod: string): Promise<Answer> {
    return cluster.api.ask('PATCH', `${NAMESPACES}/${namespace}/pods/${nameOf(pod)}`, {
      body: { metadata: { labels: { colour: 'blue' } } },
      contentType: MERGE,
      as: CREATOR,
      query: { dryRun: 'All' },
    });
  }
});

function nameOf(pod: string): string {
  return pod.toLowerCase();
}

/**
 * A pod that only an exception for its image admits. A container or a sidecar of the pod runs as root and adds
 * SYS_ADMIN.
 */
function proxied(list: List): object {
  const image = 'example.org/proxy:1';
  const proxy = { name: 'proxy', image, securityContext: AS_ROOT };
  const main = { name: 'main', image: 'example.org/app', securityContext: PLAIN };
  const containers = list === 'containers' ? [main, proxy] : [main];
  const initContainers = list === 'initContainers' ? [{ ...proxy, restartPolicy: 'Always' }] : [];
  return podManifest({ name: 'pod' }, { containers, initContainers });
}

/** A pod with a compliant container and a violating container. */
function halfViolating(list: List): object {
  const { metadata, spec } = restrictedPod() as Json;
  const [main] = spec.containers;
  const bad = { name: 'bad', image: 'example.org/app', securityContext: { privileged: true } };
  const added = list === 'containers' ? { containers: [{ ...main, name: 'good' }, bad] } : { initContainers: [bad] };
  return podManifest(metadata, { ...spec, ...added });
}
