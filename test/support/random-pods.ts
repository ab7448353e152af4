/**
 * Makes random pods near the limits of the rules. A random pod is a pod that complies with the level restricted, with a
 * few changes.
 */
import fc, { type Arbitrary } from 'fast-check';
import type { PodContent } from '../../operator/model/objects.ts';
import { podManifest } from './pod-manifests.ts';
import { ANNOTATION, CONTAINER_FIELD, POD_FIELD, SECURITY_FIELD } from './random-fields.ts';
import type { Setting } from './random-switches.ts';

type Fields = Record<string, unknown>;

export interface Pod {
  readonly apiVersion: 'v1';
  readonly kind: 'Pod';
  readonly metadata: { readonly name: string; readonly annotations: Fields };
  readonly spec: Fields & { readonly containers: Fields[]; readonly initContainers?: Fields[] };
}

type Change = { readonly to: string; readonly set: Setting };
type Changes = readonly Change[];

const HARDENED = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } };
const NON_ROOT = { runAsNonRoot: true };
const CONFINED = { seccompProfile: { type: 'RuntimeDefault' } };

const HOST_LOGS = { name: 'logs', hostPath: { path: '/var/log/pods' } };

/** Different pods that the newest version of the level restricted admits. */
export const COMPLIANT: Readonly<Record<string, Pod>> = {
  'hardened on the pod': pod(HARDENED, { securityContext: { ...NON_ROOT, ...CONFINED } }),
  'hardened on each container': pod({ ...HARDENED, ...NON_ROOT, ...CONFINED }, {}),
  'in a user namespace': pod(HARDENED, { hostUsers: false, securityContext: CONFINED }),
  'for Linux': pod(HARDENED, { os: { name: 'linux' }, securityContext: { ...NON_ROOT, ...CONFINED } }),
  'for Windows': pod(undefined, { os: { name: 'windows' }, securityContext: NON_ROOT }),
};

export function randomPods(): Arbitrary<Pod> {
  const bases = fc.constantFrom(...Object.values(COMPLIANT));
  // A single change usually decides whether a policy admits the pod. Therefore each pod has few changes.
  const changes = fc.oneof(
    { weight: 3, arbitrary: fc.array(someChanges(), { minLength: 1, maxLength: 3, size: 'max' }) },
    { weight: 1, arbitrary: fc.array(someChanges(), { maxLength: 7, size: 'max' }) },
  );
  return fc.tuple(bases, changes).map(([base, all]) => changed(base, all.flat()));
}

/**
 * An ephemeral container `debug` that can be added to a pod. The container is hardened or has no securityContext, and
 * gets at most three further settings.
 */
export function randomEphemeralContainers(): Arbitrary<Fields> {
  const contexts = fc.constantFrom(HARDENED, { ...HARDENED, ...NON_ROOT, ...CONFINED }, undefined);
  return fc.tuple(contexts, fc.array(SECURITY_FIELD, { maxLength: 3 })).map(([securityContext, settings]) => {
    const container = structuredClone({ name: 'debug', image: 'debug', ...(securityContext && { securityContext }) });
    for (const setting of settings) assign(container, setting);
    return container;
  });
}

/** The fields of a pod that rules read. */
export function contentOf({ metadata, spec }: Pod): PodContent {
  return {
    annotations: metadata.annotations as PodContent['annotations'],
    spec: spec as unknown as PodContent['spec'],
  };
}

/** A copy of the pod with the changes. If a change adds a container, the new container is hardened like `app`. */
function changed(base: Pod, changes: Changes): Pod {
  const copy = structuredClone(base);
  const { containers } = copy.spec;
  const hardened = containers[0]?.securityContext;
  const initContainers: Fields[] = [];
  for (const { to, set } of changes) {
    if (to === 'pod') assign(copy.spec, set);
    else if (to === 'annotations') assign(copy.metadata.annotations, set);
    else {
      const list = to === 'app' || to === 'second' ? containers : initContainers;
      let container = list.find(({ name }) => name === to);
      if (!container) {
        container = structuredClone({
          name: to,
          image: to,
          securityContext: hardened,
          ...(to === 'sidecar' && { restartPolicy: 'Always' }),
        });
        list.push(container);
      }
      assign(container, set);
    }
  }
  return { ...copy, spec: { ...copy.spec, ...(initContainers.length > 0 && { initContainers }) } };
}

function someChanges(): Arbitrary<Changes> {
  const container = fc.oneof(
    { weight: 4, arbitrary: fc.constant('app') },
    { weight: 3, arbitrary: fc.constantFrom('second', 'init', 'sidecar') },
  );
  return fc.oneof(
    { weight: 6, arbitrary: one(fc.constant('pod'), POD_FIELD) },
    { weight: 8, arbitrary: one(container, CONTAINER_FIELD) },
    { weight: 2, arbitrary: one(fc.constant('annotations'), ANNOTATION) },
    { weight: 1, arbitrary: fc.constantFrom(...TOGETHER) },
  );
}

function one(to: Arbitrary<string>, set: Arbitrary<Setting>): Arbitrary<Changes> {
  return fc.record({ to, set }).map((change) => [change]);
}

function set(to: string, path: string, value: unknown): Change {
  return { to, set: { path: path.split('.'), value } };
}

/**
 * Changes of fields that belong together. The API server accepts some fields only together with certain other fields.
 * Other fields exclude each other. A change of one field alone would make only invalid pods.
 */
const TOGETHER: readonly Changes[] = [
  [set('app', 'securityContext', { privileged: true })],
  [set('init', 'securityContext', { privileged: true, capabilities: { drop: ['ALL'] } })],
  [set('pod', 'hostUsers', false), set('app', 'securityContext.procMount', 'Unmasked')],
  [set('pod', 'hostUsers', false), set('init', 'securityContext.runAsUser', 0)],
  [set('pod', 'hostNetwork', true), set('app', 'ports', [{ containerPort: 80 }])],
  [
    set('pod', 'volumes', [HOST_LOGS]),
    set('app', 'volumeMounts', [{ name: 'logs', mountPath: '/logs', readOnly: true }]),
  ],
  [set('pod', 'volumes', [HOST_LOGS]), set('init', 'volumeMounts', [{ name: 'logs', mountPath: '/logs' }])],
  [set('pod', 'os', { name: 'windows' }), set('pod', 'securityContext', undefined), set('app', 'securityContext', {})],
  [
    set('pod', 'hostNetwork', true),
    set('pod', 'securityContext.windowsOptions', { hostProcess: true, runAsUserName: 'NT AUTHORITY\\SYSTEM' }),
  ],
];

function pod(securityContext: Fields | undefined, spec: Fields): Pod {
  return podManifest(
    { name: 'random', annotations: {} },
    { ...spec, containers: [{ name: 'app', image: 'app', ...(securityContext && { securityContext }) }] },
  );
}

function assign(target: Fields, { path, value }: Setting): void {
  const [head = '', ...rest] = path;
  if (rest.length > 0) {
    const child = (target[head] ?? {}) as Fields;
    assign(child, { path: rest, value });
    target[head] = child;
  } else if (value === undefined) delete target[head];
  else target[head] = structuredClone(value);
}
