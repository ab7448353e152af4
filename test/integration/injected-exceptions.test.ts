/**
 * Tests the exceptions for injected containers that docs/exceptions.md shows. The pods are what the injectors make of a
 * pod that the level restricted admits, with the default settings of each injector.
 */
import assert from 'node:assert/strict';
import type { CapabilityPolicy, CapabilityPolicySpec } from '../../operator/api/capability-policy.ts';
import { ADMITTED, eventually, useCluster } from '../support/harness.ts';
import { policiesIn, readPage } from '../support/page.ts';
import { podManifest } from '../support/pod-manifests.ts';
import { NAMESPACES } from '../support/rendered.ts';

const PAGE = 'docs/exceptions.md';
/** The namespace and the service account on the page. */
const SHOP = 'shop';
const ACCOUNT = 'web';

const DROPS_ALL = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } };
const REDIRECTS = { allowPrivilegeEscalation: false, capabilities: { add: ['NET_ADMIN', 'NET_RAW'] } };
const VAULT = { ...DROPS_ALL, runAsUser: 100, runAsGroup: 1000, runAsNonRoot: true, readOnlyRootFilesystem: true };

interface Container {
  readonly name: string;
  readonly image: string;
  readonly securityContext?: object;
}

interface Injection {
  /** The name of the policy on the page. */
  readonly policy: string;
  readonly initContainers?: readonly Container[];
  readonly containers?: readonly Container[];
  /** A volume that the injector mounts into the application's container. */
  readonly volume?: { readonly name: string; readonly mountPath: string; readonly source: object };
  /** A part of the message that refuses each violating container or volume. */
  readonly refused: readonly RegExp[];
}

const INJECTIONS: readonly Injection[] = [
  {
    policy: 'mesh',
    initContainers: [
      {
        name: 'istio-init',
        image: 'docker.io/istio/proxyv2:1.27.1',
        securityContext: {
          allowPrivilegeEscalation: false,
          capabilities: { add: ['NET_ADMIN', 'NET_RAW'], drop: ['ALL'] },
          runAsUser: 0,
          runAsGroup: 0,
          runAsNonRoot: false,
        },
      },
      sidecar('istio-proxy', 'docker.io/istio/proxyv2:1.27.1', { ...DROPS_ALL, runAsUser: 1337, runAsNonRoot: true }),
    ],
    refused: [/container "istio-init" .*NET_ADMIN/, /container "istio-proxy" .*seccompProfile/],
  },
  {
    policy: 'linkerd',
    initContainers: [
      {
        name: 'linkerd-init',
        image: 'cr.l5d.io/linkerd/proxy:edge-26.8.1',
        securityContext: { ...REDIRECTS, runAsUser: 65_534, runAsNonRoot: true, readOnlyRootFilesystem: true },
      },
      sidecar('linkerd-proxy', 'cr.l5d.io/linkerd/proxy:edge-26.8.1', {
        allowPrivilegeEscalation: false,
        runAsUser: 2102,
        runAsNonRoot: true,
        seccompProfile: { type: 'RuntimeDefault' },
      }),
    ],
    refused: [/container "linkerd-init" .*NET_ADMIN/, /container "linkerd-proxy" .*drop/],
  },
  {
    policy: 'vault-agent',
    initContainers: [{ name: 'vault-agent-init', image: 'hashicorp/vault:2.0.4', securityContext: VAULT }],
    containers: [{ name: 'vault-agent', image: 'hashicorp/vault:2.0.4', securityContext: VAULT }],
    refused: [/container "vault-agent-init" .*seccompProfile/, /container "vault-agent" .*seccompProfile/],
  },
  {
    policy: 'datadog',
    initContainers: [
      { name: 'datadog-init-apm-inject', image: 'gcr.io/datadoghq/apm-inject:0' },
      { name: 'datadog-lib-java-init', image: 'gcr.io/datadoghq/dd-lib-java-init:v1' },
    ],
    volume: {
      name: 'datadog',
      mountPath: '/var/run/datadog',
      source: { hostPath: { path: '/var/run/datadog', type: 'DirectoryOrCreate' } },
    },
    refused: [/container "datadog-init-apm-inject" /, /container "datadog-lib-java-init" /, /hostPath/],
  },
];

describe('the exceptions for injected containers on the page', function () {
  this.timeout(300_000);
  const cluster = useCluster('injected-exceptions');
  const shown = new Map(
    readPage(PAGE)
      .blocks.flatMap(policiesIn)
      .map((policy) => [policy.metadata?.name, policy as unknown as CapabilityPolicy]),
  );

  for (const injection of INJECTIONS) {
    const { policy, refused } = injection;

    it(`${policy}: the injected pod is admitted only with the exception, and only with the account`, async () => {
      const namespace = await cluster.namespace(policy, { injected: policy });
      for (const account of [ACCOUNT, 'other']) await cluster.serviceAccount(namespace, account);
      const everybody = await cluster.policy(`${policy}-everybody`, {
        namespaceSelector: { matchLabels: { injected: policy } },
        level: 'restricted',
        mode: 'Enforce',
        podSecurityLabels: 'Off',
      });
      await cluster.programmed(everybody);
      assert.equal(await cluster.admit(podOf({}), namespace), ADMITTED, 'the pod without the injector');
      const before = await cluster.admit(podOf(injection), namespace);
      for (const part of refused) assert.match(before, part);

      const exception = await cluster.policy(policy, specIn(namespace));
      await cluster.programmed(exception);
      assert.equal(await cluster.admit(podOf(injection), namespace), ADMITTED);
      assert.notEqual(await cluster.admit(podOf(injection, { account: 'other' }), namespace), ADMITTED);
      // The application's own container may not use what the injected containers may use.
      const greedy = await cluster.admit(podOf(injection, { securityContext: DROPS_ALL }), namespace);
      assert.match(greedy, /container "web" .*seccompProfile/);
    });

    it(`${policy}: the subjects may run any command in a container with the injected name`, async () => {
      const namespace = cluster.named(policy);
      const chosen = (containers: readonly Container[] = []) =>
        containers.map((container) => ({ ...container, command: ['sh', '-c', 'anything'] }));
      const { initContainers, containers } = injection;
      const pod = podOf({
        ...injection,
        initContainers: chosen(initContainers),
        containers: chosen(containers),
      });
      assert.equal(await cluster.admit(pod, namespace), ADMITTED);
    });

    /** The spec on the page, with the test's namespace instead of the page's. */
    function specIn(namespace: string): CapabilityPolicySpec {
      const spec = shown.get(policy)?.spec;
      assert.ok(spec, `${PAGE} shows no policy ${policy}`);
      const text = JSON.stringify(spec);
      assert.ok(text.includes(`"${SHOP}"`), text);
      return JSON.parse(text.replaceAll(`"${SHOP}"`, `"${namespace}"`)) as CapabilityPolicySpec;
    }
  }

  it('datadog: the operator does not set the label restricted, which would change what Datadog injects', async () => {
    const namespace = cluster.named('datadog');
    const labelled = await cluster.policy('datadog-everybody', {
      namespaceSelector: { matchLabels: { injected: 'datadog' } },
      level: 'restricted',
      mode: 'Enforce',
    });
    await cluster.programmed(labelled);
    const labelOf = async () => {
      const { metadata } = await cluster.api.get(`${NAMESPACES}/${namespace}`);
      return metadata.labels['pod-security.kubernetes.io/enforce'];
    };
    await cluster.settled();
    assert.notEqual(await labelOf(), 'restricted');
    await cluster.deletePolicy(cluster.named('datadog'));
    await eventually('the label without the exception', async () => (await labelOf()) === 'restricted');
  });
});

/** A container of `initContainers` that runs beside the application. */
function sidecar(name: string, image: string, securityContext: object): Container {
  return { name, image, securityContext, restartPolicy: 'Always' } as Container;
}

interface PodOptions {
  readonly account?: string;
  /** The securityContext of the application's container. */
  readonly securityContext?: object;
}

/** The pod after the injection. Its own container needs no exception. */
function podOf(
  { initContainers = [], containers = [], volume }: Partial<Injection>,
  {
    account = ACCOUNT,
    securityContext = { ...DROPS_ALL, seccompProfile: { type: 'RuntimeDefault' } },
  }: PodOptions = {},
): object {
  const mounts = volume && { volumeMounts: [{ name: volume.name, mountPath: volume.mountPath, readOnly: true }] };
  const main = {
    name: 'web',
    image: 'registry.example/web:1',
    securityContext: { ...securityContext, runAsNonRoot: true },
    ...mounts,
  };
  return podManifest(
    { name: 'web' },
    {
      serviceAccountName: account,
      initContainers: initContainers.map((container) => ({ ...container, ...mounts })),
      containers: [...containers, main],
      ...(volume && { volumes: [{ name: volume.name, ...volume.source }] }),
    },
  );
}
