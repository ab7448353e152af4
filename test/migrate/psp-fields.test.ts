import assert from 'node:assert/strict';
import { migrate } from '../../analysis/migrate/migrate.ts';
import { assertNotes } from './notes.ts';
import { migrated, psp, scc } from './objects.ts';
import { APP_ARMOR, GREATEST, ids, ROWS, SECCOMP, UNSET } from './psp-rows.ts';

describe('a PodSecurityPolicy migrates', () => {
  for (const [title, row] of Object.entries(ROWS)) {
    it(title, () => {
      const { policies, notes, origins } = migrated(psp(row.spec, row.annotations));
      const [policy] = policies;
      assert.deepEqual(policy?.spec.overrides, { ...UNSET, ...row.overrides });
      assert.equal(policy.spec.defaulting, row.filled ? 'Enabled' : undefined);
      assertNotes(notes, row.notes ?? []);
      assert.deepEqual(unexplained(policy.spec.overrides, origins.psp ?? {}), []);
    });
  }

  it('a migrated policy that fills in nothing lists the dropped capabilities that ALL would cover', () => {
    const [policy] = migrated(psp({ requiredDropCapabilities: ['NET_RAW'] }), 'Audit').policies;
    assert.deepEqual(policy?.spec.overrides?.capabilities, { allowedAdd: [], requiredDrop: ['NET_RAW'] });
    assert.equal(policy.spec.defaulting, undefined);
  });
});

describe('the choice among several PodSecurityPolicies, some of which may fill in values', () => {
  const filling = psp({ readOnlyRootFilesystem: true }, {}, 'a');
  const defaulting = (objects: readonly object[]) =>
    migrate(objects, { mode: 'Enforce' }).policies.map(({ spec }) => spec.defaulting);

  it('the policy is chosen in the same way as before, even if other policies fill in nothing', () => {
    assert.deepEqual(defaulting([filling, psp({}, {}, 'b')]), ['PodSecurityPolicy', 'PodSecurityPolicy']);
  });

  it('is irrelevant if none does', () => {
    assert.deepEqual(defaulting([psp({}, {}, 'a'), psp({}, {}, 'b')]), [undefined, undefined]);
  });

  it('the choice is irrelevant if only one policy can ever admit a pod', () => {
    const never = psp({ runAsUser: { rule: 'MustRunAs' } }, {}, 'b');
    assert.deepEqual(defaulting([filling, never]), ['Enabled']);
  });

  it('is made differently for SecurityContextConstraints', () => {
    const sccs = ['a', 'b'].map((name) => scc({ readOnlyRootFilesystem: true }, name));
    assert.deepEqual(defaulting(sccs), ['Enabled', 'Enabled']);
  });
});

describe('migrate reports a PodSecurityPolicy that can never admit a pod:', () => {
  const rows: Readonly<
    Record<
      string,
      readonly [spec: Readonly<Record<string, unknown>>, annotations: Record<string, string>, said: string]
    >
  > = {
    'runAsUser MustRunAs without ranges': [
      { runAsUser: { rule: 'MustRunAs' } },
      {},
      'spec.runAsUser.ranges: MustRunAs without ranges: the API server accepted this policy, but the policy could never admit a pod',
    ],
    'supplementalGroups MayRunAs without ranges': [
      { supplementalGroups: { rule: 'MayRunAs', ranges: [] } },
      {},
      'spec.supplementalGroups.ranges: MayRunAs without ranges',
    ],
    'fsGroup MustRunAs without ranges': [
      { fsGroup: { rule: 'MustRunAs' } },
      {},
      'spec.fsGroup.ranges: MustRunAs without ranges',
    ],
    'IDs that no pod may have': [
      { runAsUser: { rule: 'MustRunAs', ranges: ids([GREATEST + 1, GREATEST + 1]) } },
      {},
      'spec.runAsUser.ranges: no pod may have an ID above 2147483647',
    ],
    'seLinux MustRunAs without options': [
      { seLinux: { rule: 'MustRunAs' } },
      {},
      'spec.seLinux.seLinuxOptions: MustRunAs without options',
    ],
    'a seccomp profile that is filled in, and none that is allowed': [
      {},
      { [`${SECCOMP}/defaultProfileName`]: 'runtime/default' },
      `metadata.annotations[${SECCOMP}/defaultProfileName]: the profile was filled in and then refused`,
    ],
    'an empty list of AppArmor profiles': [
      {},
      { [`${APP_ARMOR}/allowedProfileNames`]: '' },
      `metadata.annotations[${APP_ARMOR}/allowedProfileNames]: the list is empty`,
    ],
  };
  for (const [title, [spec, annotations, said]] of Object.entries(rows)) {
    it(title, () => {
      const { policies, notes } = migrated(psp(spec, annotations));
      assert.deepEqual(policies, []);
      assertNotes(notes, [said, '~: none of these policies could admit a pod']);
    });
  }
});

/** Returns the paths of the migrated overrides that `origins` does not name. */
function unexplained(overrides: object = {}, origins: Readonly<Record<string, string>>): string[] {
  const known = Object.keys(origins);
  return Object.entries(overrides).flatMap(([field, value]) => {
    const path = `spec.overrides.${field}`;
    if (known.includes(path)) return [];
    return Object.keys(value as object)
      .map((inner) => `${path}.${inner}`)
      .filter((inner) => !known.includes(inner));
  });
}
