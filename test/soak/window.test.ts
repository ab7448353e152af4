import assert from 'node:assert/strict';
import type { CapabilityPolicySpec } from '../../operator/api/capability-policy.ts';
import { baselinePod } from '../support/pod-manifests.ts';
import { Window } from './window.ts';

const NAMESPACE = 'net';
const PROBE = { pod: baselinePod(), namespace: NAMESPACE };

/** Policies of the level restricted, by name. Each policy selects the namespaces of one team. */
const forTeams = (teams: Readonly<Record<string, string>>) =>
  new Map(
    Object.entries(teams).map(([name, team]) => {
      const spec = { namespaceSelector: { matchLabels: { team } }, level: 'restricted', mode: 'Enforce' };
      return [name, spec as CapabilityPolicySpec];
    }),
  );

describe('the pods that must be refused at any moment', () => {
  const begun = (teams: Readonly<Record<string, string>>) => {
    const window = new Window();
    window.begin({ policies: forTeams(teams), labels: new Map([[NAMESPACE, { team: 'a' }]]), grants: [] });
    return window;
  };

  it('a pod must be refused if every state of the policies refuses the pod', () => {
    const window = begun({ old: 'a' });
    window.addPolicies(forTeams({ old: 'a', new: 'a' }));
    window.addPolicies(forTeams({ old: 'b', new: 'a' }));
    assert.equal(window.refuses(PROBE), true);
    window.addPolicies(forTeams({ old: 'b', new: 'b' }));
    assert.equal(window.refuses(PROBE), false);
  });

  it('if only a deleted policy refused a pod, the pod may be admitted until the next policy is in force', () => {
    const window = begun({ old: 'a' });
    window.addPolicies(forTeams({ old: 'a', new: 'a' }));
    assert.equal(window.refuses(PROBE), true);
    window.removePolicy('old', forTeams({ new: 'a' }));
    assert.equal(window.refuses(PROBE), false);
  });

  it('a pod must be refused if a remaining policy refuses the pod, even if another policy is deleted', () => {
    const window = begun({ stays: 'a', goes: 'a' });
    window.removePolicy('goes', forTeams({ stays: 'a' }));
    assert.equal(window.refuses(PROBE), true);
  });
});
