import assert from 'node:assert/strict';
import { type PublishedSchema, unknownPodFields } from '../../operator/standards/unknown-pod-fields.ts';

const CORE = 'io.k8s.api.core.v1';
const reference = (type: string): PublishedSchema => ({ allOf: [{ $ref: `#/components/schemas/${CORE}.${type}` }] });
const list = (type: string): PublishedSchema => ({ items: reference(type) });

/** The schemas of a pod with the fields that a test adds. Each type has one known field. */
function schemas(added: Readonly<Record<string, Readonly<Record<string, PublishedSchema>>>>) {
  const types: Readonly<Record<string, Readonly<Record<string, PublishedSchema>>>> = {
    PodSpec: { containers: list('Container'), initContainers: list('Container'), affinity: reference('Affinity') },
    Container: { securityContext: reference('SecurityContext') },
    SecurityContext: { seccompProfile: reference('SeccompProfile') },
    SeccompProfile: { type: {} },
    Affinity: { nodeAffinity: {} },
  };
  const entries = Object.entries(types).map(([type, properties]) => [
    `${CORE}.${type}`,
    { properties: { ...properties, ...added[type] } },
  ]);
  return Object.fromEntries(entries);
}

describe('pod fields that this release does not know', () => {
  const cases = [
    ['are none if the API server has only known fields', {}, []],
    ['are fields of the pod', { PodSpec: { restoreFrom: {} } }, ['spec.restoreFrom']],
    [
      'are fields of a container, once for all lists of containers',
      { SecurityContext: { ulimits: {} } },
      ['spec.containers.securityContext.ulimits'],
    ],
    [
      'are fields at any depth, sorted',
      { SeccompProfile: { reference: {} }, PodSpec: { another: {} } },
      ['spec.another', 'spec.containers.securityContext.seccompProfile.reference'],
    ],
    ['are not the fields of a type that is decided as a whole', { Affinity: { another: {} } }, []],
    [
      'are not the fields below an unknown field',
      { PodSpec: { restoreFrom: reference('Restore') } },
      ['spec.restoreFrom'],
    ],
  ] as const;
  for (const [title, added, expected] of cases) {
    it(title, () => assert.deepEqual(unknownPodFields(schemas(added)), expected));
  }

  it('no field counts as unknown if the schemas lack the PodSpec', () => assert.deepEqual(unknownPodFields({}), []));
});
