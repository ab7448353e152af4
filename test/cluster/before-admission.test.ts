/** Tests which fields of a created object an API server filled in itself. */
import assert from 'node:assert/strict';
import { beforeAdmission } from '../../operator/cluster/before-admission.ts';
import { unknownValues } from '../../operator/cluster/unknown-values.ts';
import { objectOf, type RawObject } from '../../operator/model/raw.ts';

/** A shortened answer of an API server, with the given template. */
const answer = (container: object, spec: object, owned: object = {}) =>
  ({
    metadata: {
      managedFields: [
        {
          operation: 'Update',
          fieldsV1: {
            'f:template': {
              'f:spec': {
                'f:containers': {
                  'k:{"name":"a"}': { '.': {}, 'f:name': {}, 'f:image': {}, 'f:securityContext': owned },
                },
                'f:terminationGracePeriodSeconds': {},
                'f:keyring': {},
                'f:limits': {},
              },
            },
          },
        },
      ],
    },
    template: {
      spec: { terminationGracePeriodSeconds: 30, ...spec, containers: [{ name: 'a', image: 'x', ...container }] },
    },
  }) as unknown as RawObject;

const learned = (created: RawObject) => unknownValues(objectOf(beforeAdmission(created).template).spec);

describe('the fields of a created object before admission', () => {
  it('include what the API server filled in', () => {
    const filled = { securityContext: { keyring: 'own', masks: { mode: 'x' } } };
    const owned = { 'f:keyring': {}, 'f:masks': { 'f:mode': {} } };
    assert.deepEqual(learned(answer(filled, { keyring: 'own', limits: [{ soft: 1 }] }, owned)), [
      'spec.containers.securityContext.keyring=own',
      'spec.containers.securityContext.masks.mode=x',
      'spec.keyring=own',
      'spec.limits[].soft=1',
    ]);
  });

  it('do not include what a webhook or a mutating policy added, to an empty object too', () => {
    assert.deepEqual(learned(answer({ securityContext: { ulimits: 'any' } }, { hostKeyring: true })), []);
    const owned = { 'f:masks': { 'f:mode': {} } };
    const added = { securityContext: { masks: { mode: 'x', root: 'host' }, ulimits: 'any' } };
    assert.deepEqual(learned(answer(added, {}, owned)), ['spec.containers.securityContext.masks.mode=x']);
  });

  it('do not include containers that a webhook added', () => {
    const created = answer({}, {});
    const spec = objectOf(objectOf(created.template).spec) as { containers: object[] };
    spec.containers.push({ name: 'injected', securityContext: { ulimits: 'any' } });
    assert.deepEqual(learned(created), []);
  });
});
