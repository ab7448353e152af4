/** PodSecurityPolicies as people wrote them, with their roles and bindings: the inputs of the command's tests. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc, { type Arbitrary } from 'fast-check';
import { loadAll } from 'js-yaml';
import type { Identity } from '../../hack/controlplane/api.ts';
import type { Pod } from '../support/random-pods.ts';
import type { Campaign } from './campaign.ts';
import { ACCOUNTS } from './current-cluster.ts';
import { binding, type PodSecurityPolicy, type PspSet, psp, type RbacObject, role } from './objects.ts';
import { podsFor } from './pods.ts';

const INPUTS = join(import.meta.dirname, '..', 'migrate', 'inputs');

const CREATORS: readonly Identity[] = [
  { user: 'jane' },
  { user: 'joe', groups: ['platform'] },
  {
    user: 'system:serviceaccount:storage:csi-node',
    groups: ['system:serviceaccounts', 'system:serviceaccounts:storage'],
  },
];

const SETS: readonly ((id: string) => PspSet)[] = [
  (id) => ({ id, ...written('classic-restricted.yaml'), namespaces: ['written'] }),
  (id) => ({ id, ...written('three.yaml'), namespaces: ['shop', 'storage'] }),
  asManyAsFit,
];
/** One of each. */
export const WRITTEN_SETS = SETS.length;

export const WRITTEN: Campaign = {
  together: 1,
  set: (id, index) => fc.constant((SETS[index] as (id: string) => PspSet)(id)),
  creations: ({ policies, namespaces }) =>
    fc.record({
      pod: fc.constantFrom(...policies).chain(podsOfManySizes),
      namespace: fc.constantFrom(...namespaces),
      account: fc.constantFrom(...ACCOUNTS),
      creator: fc.constantFrom(...CREATORS),
    }),
};

function written(file: string): Pick<PspSet, 'policies' | 'rbac'> {
  const documents = loadAll(readFileSync(join(INPUTS, file), 'utf8')) as { kind: string; items?: object[] }[];
  const objects = documents.flatMap((one) => (one.kind === 'List' ? (one.items ?? []) : [one]));
  const isPolicy = ({ kind }: { kind?: unknown }) => kind === 'PodSecurityPolicy';
  return {
    policies: objects.filter(isPolicy) as PodSecurityPolicy[],
    rbac: objects.filter((one) => !isPolicy(one)) as RbacObject[],
  };
}

const MOST = 11;

/** Long ones, each for a different user: as many as fit into one decision. */
function asManyAsFit(id: string): PspSet {
  const { metadata, spec } = written('three.yaml').policies.find(
    (one) => one.metadata.name === 'default',
  ) as PodSecurityPolicy;
  const names = Array.from({ length: MOST }, (_, i) => `${id}-${String.fromCharCode(97 + i)}`);
  return {
    id,
    policies: names.map((name) => psp(name, { ...spec, allowedCapabilities: ['NET_RAW'] }, metadata.annotations)),
    rbac: names.flatMap((name, i) => {
      const may = role(name, [name]);
      // The last one is jane's, so that all others are checked before.
      return [may, binding(name, may, [{ kind: 'User', name: i === MOST - 1 ? 'jane' : `somebody-${i}` }])];
    }),
    namespaces: [id],
  };
}

/** Up to 100 containers, the size that decisions are calculated for. */
function podsOfManySizes(policy: PodSecurityPolicy): Arbitrary<Pod> {
  return fc.tuple(podsFor(policy), fc.constantFrom(0, 0, 0, 30, 97)).map(([pod, more]) => {
    const [first] = pod.spec.containers;
    const copies = Array.from({ length: more }, (_, i) => ({ ...first, name: `copy-${i}`, ports: [] }));
    return { ...pod, spec: { ...pod.spec, containers: [...pod.spec.containers, ...copies] } } as Pod;
  });
}
