import assert from 'node:assert/strict';
import { compile, compiler } from '../../operator/compile/compile.ts';
import type { RenderedObject } from '../../operator/model/objects.ts';
import { runToEnd } from '../../operator/policy/run-to-end.ts';
import { NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';
import { lastAccepted } from '../../operator/state/accepted-specs.ts';
import { policy } from '../support/policies.ts';

const OPTIONS = { oldestServer: NEWEST_KNOWN_MINOR, operatorNamespace: 'operator', excludedNamespaces: [] };
const subjects = [{ kind: 'ServiceAccount' as const, namespace: 'net', name: 'pinger' }];
const restricted = policy('ping', { usableBy: 'Subjects', subjects });

describe('the grants of policies', () => {
  it('each policy has a role, and a policy that names its users also has a binding', () => {
    const { grants } = compile([restricted, policy('open')], OPTIONS);
    assert.deepEqual([...grants.keys()].sort(), ['open', 'ping']);
    assert.deepEqual(grants.get('ping')?.roleBinding?.subjects, subjects);
    assert.equal(grants.get('open')?.roleBinding, undefined);
  });

  it('both parts of a policy with a rollout share one role', () => {
    const { policies, grants } = compile([policy('ping', { rollout: {} })], OPTIONS);
    assert.deepEqual([policies.length, grants.size], [2, 1]);
  });

  it('the role of a policy contains the accepted spec, so that a restarted operator can read the spec', () => {
    const { grants } = compile([restricted], OPTIONS);
    const roles = [...grants.values()].map(({ role }) => role) as unknown as RenderedObject[];
    assert.deepEqual(lastAccepted(roles).get('uid-of-ping'), restricted.spec);
  });

  it('the role and the binding are owned by the definition of policies, and do not block the deletion of the definition', () => {
    const owned = compile([restricted], { ...OPTIONS, ownerUid: 'uid' }).grants.get('ping');
    const expected = [
      {
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'CustomResourceDefinition',
        name: 'capabilitypolicies.capabilitypolicy.dev',
        uid: 'uid',
      },
    ];
    for (const one of [owned?.role, owned?.roleBinding]) assert.deepEqual(one?.metadata.ownerReferences, expected);
    assert.deepEqual(compile([restricted], OPTIONS).grants.get('ping')?.role.metadata.ownerReferences, []);
  });

  it('the role and the binding of a policy stay the same objects while the policy does not change', () => {
    const compileAgain = compiler();
    const before = runToEnd(compileAgain([restricted, policy('other')], OPTIONS)).grants;
    const after = runToEnd(compileAgain([restricted, policy('other', { level: 'baseline' })], OPTIONS)).grants;
    assert.equal(after.get('ping'), before.get('ping'));
    assert.notEqual(after.get('other'), before.get('other'));
  });
});
