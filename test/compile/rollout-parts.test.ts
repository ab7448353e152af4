/**
 * Tests that a policy with a rollout is a row in two programs. One program refuses pods, and the other program warns in
 * pending namespaces.
 */
import assert from 'node:assert/strict';
import { compile } from '../../operator/compile/compile.ts';
import type { Stage } from '../../operator/policy/parts.ts';
import { NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';
import { manifestsOf } from '../support/compiled-objects.ts';
import { policy } from '../support/policies.ts';
import { programText } from './admission-text.ts';

const OPTIONS = { oldestServer: NEWEST_KNOWN_MINOR, operatorNamespace: 'operator', excludedNamespaces: [] };
const LABEL = 'rollout.capabilitypolicy.dev/it';

describe('a policy with a rollout', () => {
  const compiled = (begun?: boolean) =>
    compile([policy('it', { rollout: {} })], {
      ...OPTIONS,
      ...(begun !== undefined && { stages: new Map([['it', { begun }]]) }),
    });
  const rows = (begun?: boolean) => compiled(begun).programs.map(({ kind, rows }) => [kind, ...rows.keys()]);

  it('a policy with a rollout compiles to two parts, but only to the pending part before the rollout begins', () => {
    assert.deepEqual(rows(), [
      ['Guard', 'it'],
      ['Enforce', 'it'],
      ['Warn', 'it/pending'],
    ]);
    assert.deepEqual(rows(false), [['Warn', 'it/pending']]);
  });

  it('both parts of a policy with a rollout share one role, even before the rollout begins', () => {
    for (const begun of [true, false]) {
      const { grants } = compiled(begun);
      assert.deepEqual(
        [...grants].map(([name, { role }]) => [name, role.metadata.name]),
        [['it', 'capabilitypolicy.dev:use:it']],
      );
    }
  });

  it('the role names the namespaces that the enforced part leaves out by name', () => {
    const leftOutBy = (stage?: Stage, spec = {}) =>
      compile([policy('it', { rollout: {}, ...spec })], {
        ...OPTIONS,
        ...(stage && { stages: new Map([['it', stage]]) }),
      }).grants.get('it')?.role.metadata.annotations?.['capabilitypolicy.dev/left-out'];
    assert.equal(leftOutBy({ begun: true, leftOut: ['a', 'b'] }), 'a b');
    assert.equal(leftOutBy({ begun: true }), '');
    assert.equal(leftOutBy(undefined), undefined);
    assert.equal(leftOutBy({ begun: true }, { rollout: undefined }), undefined);
  });

  it('a policy with a rollout warns in pending namespaces, and refuses in all other namespaces', () => {
    const [enforced, pending] = (['Enforce', 'Warn'] as const).map((kind) =>
      programText([policy('it', { rollout: {} })], { kind }),
    );
    const object = { spec: { containers: [{ name: 'app' }] } };
    for (const [namespaceLabels, isPending] of [
      [{}, false],
      [{ [LABEL]: 'pending' }, true],
      [{ [LABEL]: 'enforced' }, false],
      [{ [LABEL]: '' }, false],
    ] as [Record<string, string>, boolean][]) {
      const request = { resource: 'pods', object, namespaceLabels };
      assert.equal(enforced?.refusal(request) === undefined, isPending);
      assert.equal(pending?.refusal(request) !== undefined, isPending);
    }
    const actions = compiled().programs.map(({ kind, bindings: [first] }) => {
      assert.ok(first);
      return [kind, (first.spec as { validationActions: unknown }).validationActions];
    });
    assert.deepEqual(actions, [
      ['Guard', ['Deny']],
      ['Enforce', ['Deny']],
      ['Warn', ['Warn', 'Audit']],
    ]);
  });

  it('a policy with a rollout and a name of 63 characters has labels that the API server accepts', () => {
    const { programs, grants } = compile([policy('n'.repeat(63), { rollout: {} })], OPTIONS);
    assert.equal(programs.length, 3);
    const labels = manifestsOf({ programs, grants }).flatMap(({ metadata }) => Object.values(metadata.labels));
    for (const value of labels) assert.match(value, /^[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/);
  });
});
