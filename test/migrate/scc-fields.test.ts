import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { assertNotes } from './notes.ts';
import { migrated, scc } from './objects.ts';
import { CHOICE, SCC_ROWS, SCC_UNSET, SYSCTLS } from './scc-rows.ts';

describe('SecurityContextConstraints migrate', () => {
  for (const [title, { fields, overrides, notes = [] }] of Object.entries(SCC_ROWS)) {
    it(title, () => {
      const migration = migrated(scc(fields));
      assert.deepEqual(migration.policies[0]?.spec.overrides, { ...SCC_UNSET, ...overrides });
      assertNotes(migration.notes, [...notes, `~${CHOICE}`, `~${SYSCTLS}`]);
    });
  }

  it('every sysctl, without a note', () => {
    const { policies, notes } = migrated(scc({ allowedUnsafeSysctls: ['*'] }));
    assert.deepEqual(policies[0]?.spec.overrides?.sysctls, { allowed: ['*'] });
    assertNotes(notes, [`~${CHOICE}`]);
  });

  it('if there is only one priority, the migrated policy has no priority, and no note about the deciding policies', () => {
    const { policies, notes } = migrated(scc({ priority: 10 }));
    assert.equal(policies[0]?.spec.priority, undefined);
    assert.equal(notes[0]?.value, 10);
  });

  const NEVER: Readonly<Record<string, readonly [runAsUser: object, said: string]>> = {
    'MustRunAs without a user': [
      { type: 'MustRunAs' },
      'runAsUser: MustRunAs needs uid, so the policy could never admit a pod',
    ],
    'half a range': [
      { type: 'MustRunAsRange', uidRangeMin: 1 },
      'runAsUser: MustRunAsRange needs uidRangeMin and uidRangeMax, so the policy could never admit a pod',
    ],
  };
  for (const [title, [runAsUser, said]] of Object.entries(NEVER)) {
    it(`to nothing if they can never admit a pod: ${title}`, () => {
      const { policies, notes } = migrated(scc({ runAsUser }));
      assert.deepEqual(policies, []);
      assertNotes(notes, [said, '~: none of these policies could admit a pod']);
    });
  }
});

/**
 * The file of OpenShift's default constraints. The file is outside the checkout, and only some machines have the file.
 */
const DEFAULTS = join(import.meta.dirname, '..', '..', '..', 'shared', 'data', 'openshift-scc.jsonl.gz');

const SAYINGS: Readonly<Record<string, string>> = {
  priority: CHOICE,
  runAsUser:
    "runAsUser: each pod had to have a user ID of the pod's namespace (annotation openshift.io/sa.scc.uid-range)",
  supplementalGroups:
    "supplementalGroups: each pod had to have the groups of the pod's namespace, or the user IDs if the namespace has no groups",
  fsGroup: "fsGroup: each pod had to have the first group of the pod's namespace",
  seLinuxContext:
    'seLinuxContext: pods had to have the SELinux level of their namespace (annotation openshift.io/sa.scc.mcs)',
  allowedUnsafeSysctls: SYSCTLS,
  userNamespaceLevel: 'userNamespaceLevel: pods that left hostUsers unset were refused',
};

const EMPTY_LIST = 'supplementalGroups: the same, except for pods with `supplementalGroups: []`';

/**
 * Maps each default constraint to the fields of its inexact notes. The map leaves out the note about the choice among
 * several constraints.
 */
const SAID: Readonly<Record<string, readonly string[]>> = {
  anyuid: ['seLinuxContext', 'allowedUnsafeSysctls'],
  hostaccess: ['runAsUser', 'fsGroup', 'seLinuxContext', 'allowedUnsafeSysctls'],
  'hostmount-anyuid': ['seLinuxContext', 'allowedUnsafeSysctls'],
  'hostmount-anyuid-v2': ['allowedUnsafeSysctls'],
  hostnetwork: ['runAsUser', 'supplementalGroups', 'fsGroup', 'seLinuxContext', 'allowedUnsafeSysctls'],
  'hostnetwork-v2': ['runAsUser', 'supplementalGroups', 'fsGroup', 'seLinuxContext', 'allowedUnsafeSysctls'],
  'nested-container': ['seLinuxContext', 'allowedUnsafeSysctls', 'userNamespaceLevel'],
  nonroot: ['seLinuxContext', 'allowedUnsafeSysctls'],
  'nonroot-v2': ['seLinuxContext', 'allowedUnsafeSysctls'],
  privileged: [],
  restricted: ['runAsUser', 'fsGroup', 'seLinuxContext', 'allowedUnsafeSysctls'],
  'restricted-v2': ['runAsUser', 'fsGroup', 'seLinuxContext', 'allowedUnsafeSysctls'],
  'restricted-v3': ['seLinuxContext', 'allowedUnsafeSysctls', 'userNamespaceLevel'],
};

if (existsSync(DEFAULTS)) {
  describe("OpenShift's own SecurityContextConstraints", () => {
    const lines = gunzipSync(readFileSync(DEFAULTS)).toString('utf8').trim().split('\n');
    const sccs = lines.map((line) => JSON.parse(line).scc as ReturnType<typeof scc>);

    it('are those of the table', () => {
      assert.deepEqual(sccs.map(({ metadata }) => metadata.name).sort(), Object.keys(SAID).sort());
    });

    for (const one of sccs) {
      const { name } = one.metadata;
      it(`${name} migrates, with the right notes`, () => {
        const { policies, notes } = migrated(one);
        assert.equal(policies.length, 1);
        const fields = ['priority', ...(SAID[name] ?? [])];
        assertNotes(notes, [
          ...fields.map((field) => `~${SAYINGS[field]}`),
          ...(noted(one, 'supplementalGroups') === 'MustRunAs' ? [EMPTY_LIST] : []),
        ]);
        const inexact = notes.filter(({ exact }) => !exact);
        for (const { field, value } of inexact) assert.deepEqual(noted(one, field), value);
      });
    }
  });
}

/**
 * Returns the value of a field in the form in which notes state the value. For a strategy, the function returns the
 * type or the SELinux options.
 */
function noted(object: object, field: string): unknown {
  const value = (object as Record<string, { type?: string; seLinuxOptions?: object } | null>)[field];
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value ?? null;
  return value.seLinuxOptions ?? value.type;
}
