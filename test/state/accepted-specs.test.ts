import assert from 'node:assert/strict';
import { completeSpec } from '../../operator/api/defaults.ts';
import { shortHash } from '../../operator/compile/program.ts';
import type { RenderedObject } from '../../operator/model/objects.ts';
import { enforcedSpecs, lastAccepted, leftOutIn } from '../../operator/state/accepted-specs.ts';

describe('the last accepted spec of a policy', () => {
  function object(kind: string, name: string, level: string, seconds: number, mode = 'Enforce'): RenderedObject {
    return {
      apiVersion: 'v1',
      kind,
      metadata: {
        name,
        creationTimestamp: `2026-01-01T00:00:0${seconds}Z`,
        labels: { 'capabilitypolicy.dev/policy': 'it' },
        annotations: { 'capabilitypolicy.dev/spec': JSON.stringify({ namespaceSelector: {}, level, mode }) },
        ownerReferences: [
          { name: 'a-first', uid: 'another' },
          { name: 'it', uid: 'uid' },
        ],
      },
    };
  }

  const ours = object('ValidatingAdmissionPolicy', 'capabilitypolicy-it-0', 'restricted', 0);
  const newer = object('ValidatingAdmissionPolicy', 'capabilitypolicy-it-1', 'baseline', 1);

  const role = (name: string, level: string, uid = 'uid', mode = 'Enforce'): RenderedObject => {
    const { metadata, ...rest } = object('ClusterRole', name, level, 0, mode);
    return {
      ...rest,
      metadata: { ...metadata, annotations: { ...metadata.annotations, 'capabilitypolicy.dev/policy-uid': uid } },
    };
  };
  const own = role('capabilitypolicy.dev:use:it', 'privileged');

  it('the spec comes from the role of the policy, even if objects of the older form without programs exist', () => {
    assert.equal(lastAccepted([own, ours, newer]).get('uid')?.level, 'privileged');
    assert.equal(
      lastAccepted([own, role('capabilitypolicy.dev:use:it', 'baseline', 'other')]).get('uid')?.level,
      'privileged',
    );
  });

  it('the spec does not come from a role with another name, or from a role without the uid', () => {
    assert.equal(lastAccepted([role('mine', 'privileged'), ours]).get('uid')?.level, 'restricted');
    assert.equal(lastAccepted([object('ClusterRole', 'capabilitypolicy.dev:use:it', 'privileged', 0)]).size, 0);
  });

  const program = (name: string, row: string, uids?: string): RenderedObject => ({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicy',
    metadata: {
      name,
      labels: { 'capabilitypolicy.dev/program': name, 'capabilitypolicy.dev/text': 'text' },
      ...(uids !== undefined && { annotations: { 'capabilitypolicy.dev/policy-uids': uids } }),
    },
    spec: { variables: [{ name: 'table', expression: `[{"name": ["${row}"]}]` }] },
  });

  it('the policy counts as enforced only if an Enforce program has a row for the policy', () => {
    const rows: [string, string, boolean][] = [
      ['capabilitypolicy.enforce', 'it', true],
      ['capabilitypolicy.enforce-2-1', 'it', true],
      ['capabilitypolicy.enforce', 'another', false],
      ['capabilitypolicy.warn', 'it', false],
      ['capabilitypolicy.enforce-canary', 'it', false],
    ];
    for (const [name, row, expected] of rows) {
      assert.equal(enforcedSpecs([own, program(name, row)]).has('it'), expected, name);
    }
  });

  it('the policy does not count as enforced if the row is for a deleted policy with the same name', () => {
    const isEnforced = (uids: string) =>
      enforcedSpecs([own, program('capabilitypolicy.enforce', 'it', uids)]).has('it');
    assert.equal(isEnforced(`text ${shortHash('another')} ${shortHash('uid')}`), true);
    assert.equal(isEnforced(`text ${shortHash('another')}`), false);
  });

  it('the row decides if an older operator changed the program, and kept the uids of another program', () => {
    const kept = program('capabilitypolicy.enforce', 'it', `another ${shortHash('another')}`);
    assert.equal(enforcedSpecs([own, kept]).has('it'), true);
  });

  it('the policy does not count as enforced if the mode of its last accepted spec is not Enforce', () => {
    const audit = role('capabilitypolicy.dev:use:it', 'privileged', 'uid', 'Audit');
    assert.equal(enforcedSpecs([audit, program('capabilitypolicy.enforce', 'it')]).has('it'), false);
  });

  it('the namespaces that a policy leaves out by name come from the role of a policy with a rollout', () => {
    const annotated = (spec: object, leftOut?: string): RenderedObject => ({
      ...own,
      metadata: {
        ...own.metadata,
        annotations: {
          'capabilitypolicy.dev/policy-uid': 'uid',
          'capabilitypolicy.dev/spec': JSON.stringify({ namespaceSelector: {}, level: 'restricted', ...spec }),
          ...(leftOut !== undefined && { 'capabilitypolicy.dev/left-out': leftOut }),
        },
      },
    });
    const namesIn = (object: RenderedObject) => leftOutIn([object]).get('it');
    assert.deepEqual(namesIn(annotated({ rollout: {} }, 'a b-1')), ['a', 'b-1']);
    assert.deepEqual(namesIn(annotated({ rollout: {} }, '')), []);
    assert.deepEqual(namesIn(annotated({ rollout: {} })), []);
    assert.deepEqual(namesIn(annotated({ rollout: {} }, 'a "b" C')), ['a']);
    assert.equal(namesIn(annotated({}, 'a')), undefined);
  });

  it('the spec comes from the newest admission policy of the policy', () => {
    for (const all of [
      [ours, newer],
      [newer, ours],
    ]) {
      assert.equal(lastAccepted(all).get('uid')?.level, 'baseline');
    }
  });

  it('the spec has defaults for the fields that the record leaves out', () => {
    const spec = { namespaceSelector: {}, level: 'restricted', mode: 'Enforce' } as const;
    assert.deepEqual(lastAccepted([ours]).get('uid'), completeSpec(spec));
  });

  it('the spec does not come from an earlier policy with the same name, even if an object of that policy remains', () => {
    const [first] = ours.metadata.ownerReferences ?? [];
    const outliving = { ...ours, metadata: { ...ours.metadata, ownerReferences: [first, { name: 'it', uid: 'old' }] } };
    assert.equal(lastAccepted([outliving]).has('uid'), false);
  });

  for (const [what, forged] of [
    ['an object of another kind', object('ClusterRole', 'capabilitypolicy-it-1', 'privileged', 1)],
    ['an admission policy without our form of name', object('ValidatingAdmissionPolicy', 'mine', 'privileged', 1)],
  ] as const) {
    it(`does not come from an object that ${what}`, () =>
      assert.equal(lastAccepted([ours, forged]).get('uid')?.level, 'restricted'));
  }
});
