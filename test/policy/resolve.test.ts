import assert from 'node:assert/strict';
import { completeSpec } from '../../operator/api/defaults.ts';
import { resolvePolicy } from '../../operator/policy/resolve.ts';
import { RULES } from '../../operator/rules/index.ts';
import { formatVersion, NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';
import { policy, resolved } from '../support/policies.ts';

const NEWEST = formatVersion(NEWEST_KNOWN_MINOR);
const NEXT = formatVersion(NEWEST_KNOWN_MINOR + 1);

const REFUSED: readonly [levelVersion: string, server: number, reason: string, message: string][] = [
  [
    'v1.35',
    34,
    'VersionTooNew',
    'spec.levelVersion: v1.35 is too new: the oldest API server enforces versions up to v1.34; write v1.34 or older, or latest',
  ],
  [
    NEXT,
    NEWEST_KNOWN_MINOR + 1,
    'VersionTooNew',
    `spec.levelVersion: ${NEXT} is too new: this release knows the Standards up to version ${NEWEST}; write ${NEWEST} or older, or latest`,
  ],
  [
    'v1.99',
    NEWEST_KNOWN_MINOR + 3,
    'VersionTooNew',
    `spec.levelVersion: v1.99 is too new: this release knows the Standards up to version ${NEWEST}; write ${NEWEST} or older, or latest`,
  ],
  ['v1', 36, 'InvalidSpec', 'spec.levelVersion: "v1" is not a version: write latest, or v1.N such as v1.36'],
  ['1.36', 36, 'InvalidSpec', 'spec.levelVersion: "1.36" is not a version: write latest, or v1.N such as v1.36'],
  ['v1.036', 36, 'InvalidSpec', 'spec.levelVersion: "v1.036" is not a version: write latest, or v1.N such as v1.36'],
];

const TOO_OLD =
  'spec.overrides.supplementalGroups.policy: needs Kubernetes v1.33 on every API server, and the oldest is at v1.32: an older API server drops supplementalGroupsPolicy from pods, so every pod would be refused; upgrade it, or remove the field';

describe('resolving a policy', () => {
  it('fills in every default', () => {
    const spec = completeSpec({ namespaceSelector: {}, level: 'restricted' });
    const resolution = resolvePolicy({ ...policy('plain'), spec }, NEWEST_KNOWN_MINOR);
    assert.ok('policy' in resolution);
    const { mode, priority, usableBy, subjects, podSecurityLabels, standard, values, checks } = resolution.policy;
    assert.deepEqual(
      { mode, priority, usableBy, subjects, podSecurityLabels, standard },
      {
        mode: 'Audit',
        priority: 0,
        usableBy: 'Everyone',
        subjects: [],
        podSecurityLabels: 'Managed',
        standard: { level: 'restricted', minor: NEWEST_KNOWN_MINOR, server: NEWEST_KNOWN_MINOR },
      },
    );
    assert.deepEqual(
      Object.keys(values),
      RULES.map(({ id }) => id),
    );
    assert.ok(checks.every((rule) => rule.checks.length > 0));
  });

  it('keeps what is stated', () => {
    const subjects = [{ kind: 'User' as const, name: 'ann' }];
    const { mode, priority, usableBy, podSecurityLabels, ...rest } = resolved('stated', {
      mode: 'Warn',
      priority: 7,
      usableBy: 'Subjects',
      subjects,
      podSecurityLabels: 'Off',
    });
    assert.deepEqual(
      { mode, priority, usableBy, podSecurityLabels, subjects: rest.subjects },
      { mode: 'Warn', priority: 7, usableBy: 'Subjects', podSecurityLabels: 'Off', subjects },
    );
  });

  it('reads the version latest as the version of the oldest server, but at most as the newest known version', () => {
    assert.equal(resolved('latest', {}, 31).standard.minor, 31);
    const newer = NEWEST_KNOWN_MINOR + 1;
    assert.equal(resolved('latest', { levelVersion: 'latest' }, newer).standard.minor, NEWEST_KNOWN_MINOR);
  });

  it('keeps an older version', () => assert.equal(resolved('old', { levelVersion: 'v1.0' }).standard.minor, 0));

  it('restricts nothing at the level privileged', () =>
    assert.deepEqual(resolved('any', { level: 'privileged' }).checks, []));

  it('refuses an override if the oldest server drops the field of the override from pods, and names the version that has the field', () => {
    const strict = policy('strict', { overrides: { supplementalGroups: { policy: 'Strict' } } });
    const resolution = resolvePolicy(strict, 32);
    assert.ok('refusal' in resolution);
    assert.deepEqual(resolution.refusal, { reason: 'ServerTooOld', message: TOO_OLD });
    assert.ok('policy' in resolvePolicy(strict, 33));
    assert.ok(
      'policy' in resolvePolicy(policy('ids', { overrides: { supplementalGroups: { rule: 'RunAsAny' } } }), 32),
    );
  });

  for (const [levelVersion, server, reason, message] of REFUSED) {
    it(`refuses ${levelVersion} on a server of v1.${server}`, () => {
      assert.deepEqual(resolvePolicy(policy('refused', { levelVersion }), server), { refusal: { reason, message } });
    });
  }
});
