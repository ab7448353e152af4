import assert from 'node:assert/strict';
import type { CapabilityPolicySpec } from '../../operator/api/capability-policy.ts';
import { baselinePod } from '../integration/pods.ts';
import { Window } from './window.ts';

const NAMESPACE = 'net';
const PROBE = { pod: baselinePod(), namespace: NAMESPACE };
const restricted = (team: string): CapabilityPolicySpec =>
  ({ namespaceSelector: { matchLabels: { team } }, level: 'restricted', mode: 'Enforce' }) as CapabilityPolicySpec;

describe('what must be refused at any moment', () => {
  const begun = (...policies: [string, CapabilityPolicySpec][]) => {
    const window = new Window();
    window.begin({ policies: new Map(policies), labels: new Map([[NAMESPACE, { team: 'a' }]]), grants: [] });
    return window;
  };

  it('is what each state of the policies refuses', () => {
    const window = begun(['old', restricted('a')]);
    window.addPolicies(
      new Map([
        ['old', restricted('a')],
        ['new', restricted('a')],
      ]),
    );
    window.addPolicies(
      new Map([
        ['old', restricted('b')],
        ['new', restricted('a')],
      ]),
    );
    assert.equal(window.refuses(PROBE), true);
    window.addPolicies(
      new Map([
        ['old', restricted('b')],
        ['new', restricted('b')],
      ]),
    );
    assert.equal(window.refuses(PROBE), false);
  });

  it('is not what a policy refused that is deleted, before the next one is in force', () => {
    const window = begun(['old', restricted('a')]);
    window.addPolicies(
      new Map([
        ['old', restricted('a')],
        ['new', restricted('a')],
      ]),
    );
    assert.equal(window.refuses(PROBE), true);
    window.removePolicy('old', new Map([['new', restricted('a')]]));
    assert.equal(window.refuses(PROBE), false);
  });

  it('is what a policy refuses that stays, whatever else is deleted', () => {
    const window = begun(['stays', restricted('a')], ['goes', restricted('a')]);
    window.removePolicy('goes', new Map([['stays', restricted('a')]]));
    assert.equal(window.refuses(PROBE), true);
  });
});
