import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { loadAll } from 'js-yaml';
import type { Snapshot } from '../../analysis/snapshot/document.ts';
import { isProbe, withoutOwner } from '../../cli/commands/render/objects.ts';
import type { Manifest } from '../../operator/compile/objects.ts';
import { createAnswers } from '../../ui/worker/answers.ts';
import type { RenderedManifest } from '../../ui/worker/rendered-policy.ts';
import { arbitraryCluster } from '../snapshot/clusters.ts';
import { cappol } from '../support/cappol.ts';
import { policy } from '../support/policies.ts';
import { takenSnapshot } from '../support/snapshots.ts';
import { binding, clusterOf, useRole, wholeCluster } from '../support/views.ts';

const FLAGS = ['--operator-namespace', 'operator', '--excluded-namespaces', 'kube-*'];

function answersFor(taken: Snapshot) {
  const answers = createAnswers();
  answers.load(taken);
  return answers;
}

const EVERYTHING = { verbs: ['*'], apiGroups: ['*'], resources: ['*'] };

const namespace = (name: string, fields = {}) => ({
  name,
  uid: name,
  terminating: false,
  labels: { 'kubernetes.io/metadata.name': name },
  labelOwners: {},
  ...fields,
});

/**
 * Policies of all forms. Two policies have equal selectors. Some policies have a rollout, overrides of single
 * containers, restricted use, or defaulting.
 */
const POLICIES = [
  policy('base', { level: 'baseline', defaulting: 'Enabled' }),
  policy('base-shared', {
    overrides: { capabilities: { allowedAdd: ['NET_RAW'] } },
    usableBy: 'Subjects',
    subjects: [{ kind: 'ServiceAccount', namespace: 'net', name: 'pinger' }],
  }),
  policy('mesh', {
    priority: 5,
    namespaceSelector: { matchLabels: { team: 'net' } },
    containers: [{ names: ['init'], overrides: { runAsNonRoot: false } }],
  }),
  policy('rolling', { priority: 1, namespaceSelector: { matchLabels: { team: 'web' } }, rollout: {} }),
];

describe('the facts about a policy on the page', () => {
  const pinger = { kind: 'ServiceAccount', namespace: 'net', name: 'pinger' } as const;
  const namespaces = [
    namespace('net', { labels: { team: 'net' } }),
    namespace('old', { terminating: true }),
    namespace('kube-system'),
    namespace('web', { labels: { team: 'web' } }),
  ];
  const taken = takenSnapshot({
    ...wholeCluster(clusterOf([], []), POLICIES, namespaces),
    roles: () => [useRole('base-shared'), { name: 'admin', rules: [EVERYTHING] }],
    roleBindings: () => [
      binding('capabilitypolicy.dev:use:base-shared', pinger, 'net'),
      binding('admin', { kind: 'Group', name: 'admins' }),
    ],
  });
  const answers = answersFor(taken);

  it('the facts say where the policy decides, and agree with the snapshot, for random clusters', () => {
    let compared = 0;
    fc.assert(
      fc.property(arbitraryCluster, (cluster) => {
        const random = takenSnapshot(cluster);
        const asked = answersFor(random);
        for (const { name } of random.policies) {
          const { selected } = asked.policy({ policy: name });
          const decides = selected.filter(({ role }) => role.name === 'Decides' || role.name === 'Shares');
          compared += decides.length;
          assert.deepEqual(
            decides.map((one) => [one.namespace, one.mode]),
            random.namespaces.flatMap((one) =>
              Object.entries(one.deciding).flatMap(([mode, names]) => (names.includes(name) ? [[one.name, mode]] : [])),
            ),
          );
        }
      }),
      { seed: 7, numRuns: 30 },
    );
    assert.ok(compared > 20, `${compared}`);
  });

  it('name who may use it', () => {
    assert.deepEqual(answers.policy({ policy: 'base-shared' }).users, {
      // The first entry of `holders` has the right through a binding that the operator writes.
      holders: [{ subject: pinger }, { subject: pinger, namespace: 'net' }],
      holdersOfAll: [{ subject: { kind: 'Group', name: 'admins' }, wildcard: true }],
    });
    const unread = answersFor({ ...taken, usersKnown: false });
    assert.equal(unread.policy({ policy: 'base-shared' }).users, undefined);
    const { usersKnown: _, ...earlier } = taken;
    assert.ok(answersFor(earlier).policy({ policy: 'base-shared' }).users);
  });

  it('explain its label', () => {
    const { label } = answers.policy({ policy: 'mesh' });
    assert.equal(label?.found?.level, 'baseline');
    assert.deepEqual(
      label?.costs.map(({ rule, containers, level }) => [rule, containers, level]),
      [['runAsNonRoot', ['init'], 'restricted']],
    );
    const base = answers.policy({ policy: 'base' }).label;
    assert.deepEqual([base?.found?.level, base?.unfilled], ['baseline', undefined]);
  });

  it('the facts say why no text of the policy is in force', () => {
    const expired = policy('over', { expires: '1969-12-31T00:00:00Z' });
    const refused = policy('new', { levelVersion: 'v1.99' });
    const asked = answersFor(takenSnapshot(wholeCluster(clusterOf([], []), [expired, refused], [namespace('a')])));
    assert.deepEqual(asked.policy({ policy: 'over' }).force, { in: false, why: 'Expired' });
    assert.deepEqual(asked.policy({ policy: 'new' }).force, { in: false, why: 'NotAccepted' });
    assert.deepEqual(asked.policy({ policy: 'gone' }).force, { in: false, why: 'Gone' });
    assert.deepEqual(asked.policy({ policy: 'gone' }).selected, []);
  });

  it('have the objects of `cappol render`', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'policy-facts-'));
    try {
      const manifests = POLICIES.map(({ apiVersion, kind, metadata: { name }, spec }) =>
        JSON.stringify({ apiVersion, kind, metadata: { name }, spec }),
      );
      writeFileSync(join(folder, 'policies.yaml'), manifests.join('\n---\n'));
      const { stdout } = await cappol(['render', '--policy', 'policies.yaml', ...FLAGS], '', folder);
      const rendered = loadAll(stdout) as Manifest[];
      const shown = new Map(
        POLICIES.flatMap(({ metadata: { name } }) => {
          const { grant, programs } = answers.rendered({ policy: name });
          return [...grant, ...programs].map(({ manifest }) => [nameOf(manifest), manifest]);
        }),
      );
      assert.ok(shown.size > 12, `${shown.size}`);
      const written = [...shown.values()].filter((object) => !isProbe(object)).map(withoutOwner);
      assert.deepEqual(comparable(written), comparable(rendered));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('the facts name the programs with a row of the policy: the guard, defaulting, and the program of the mode', () => {
    const programs = (name: string) => [
      ...new Set(answers.rendered({ policy: name }).rows.flatMap((row) => row.programs)),
    ];
    const enforcing = ['capabilitypolicy.guard', 'capabilitypolicy.defaulting', 'capabilitypolicy.enforce'];
    assert.deepEqual(programs('base'), enforcing);
    assert.deepEqual(programs('rolling'), [...enforcing, 'capabilitypolicy.warn']);
    assert.deepEqual(programs('gone'), []);
  });

  it('each row equals the row in the tables of the programs', () => {
    for (const { metadata } of POLICIES) {
      const { rows, programs } = answers.rendered({ policy: metadata.name });
      assert.ok(rows.length > 1, metadata.name);
      for (const { row, entries, programs: names } of rows) {
        assert.deepEqual(row.name, [metadata.name]);
        for (const name of names) {
          const text = variablesOf(programs, name);
          assert.ok(text.includes(`\n${JSON.stringify(row)}`), `${name}: ${JSON.stringify(row)}`);
          if (entries.length > 0)
            assert.ok(text.includes(`${JSON.stringify(metadata.name)}: ${JSON.stringify(entries)}`));
        }
      }
    }
    const [mesh] = answers.rendered({ policy: 'mesh' }).rows.filter(({ entries }) => entries.length > 0);
    assert.deepEqual(mesh?.entries, [
      { index: ['0'], names: ['init'], rules: ['runAsNonRoot'], runAsNonRoot: ['Optional'] },
    ]);
    const parts = answers.rendered({ policy: 'rolling' }).rows.map(({ row }) => row.rollout);
    assert.deepEqual(parts, [['Yes'], ['enforced'], ['pending']]);
  });

  it('every column of a level is in the row, or is listed as a column of the level', () => {
    const { rows } = answers.rendered({ policy: 'base-shared' });
    const [own] = rows.filter(({ row }) => row.level);
    assert.deepEqual(own?.row.allowedAdd, ['NET_RAW']);
    assert.equal(own?.level.allowedAdd, undefined);
    const columns = [...Object.keys(own?.row ?? {}), ...Object.keys(own?.level ?? {})];
    const [base] = answers.rendered({ policy: 'base' }).rows.filter(({ row }) => row.level);
    for (const column of Object.keys(base?.level ?? {})) assert.ok(columns.includes(column), column);
    assert.ok(Object.keys(base?.level ?? {}).length > 30);
  });

  it('the facts have the rules that restrict something, with the CEL text for the policy', () => {
    const { rules } = answers.rendered({ policy: 'base-shared' });
    const capabilities = rules.find(({ rule }) => rule === 'capabilities');
    assert.match(capabilities?.checks.map(({ violates }) => violates).join() ?? '', /"NET_RAW"/);
    assert.ok(rules.length > 15);
    for (const { checks } of rules) assert.ok(checks.length > 0 && checks.every(({ of }) => of === undefined));
    const filling = policy('filling', { defaulting: 'Enabled' });
    const asked = answersFor(takenSnapshot(wholeCluster(clusterOf([], []), [filling], namespaces)));
    const filled = asked.rendered({ policy: 'filling' }).rules.flatMap(({ checks }) => checks.map(({ of }) => of));
    assert.deepEqual([...new Set(filled)].sort(), ['filled', 'unfilled', undefined]);
    assert.deepEqual(answers.rendered({ policy: 'gone' }).rules, []);
  });
});

function nameOf({ kind, metadata }: Manifest): string {
  return `${kind}/${metadata.name}`;
}

/** The expressions of a program's variables. */
function variablesOf(objects: readonly RenderedManifest[], name: string): string {
  const program = objects.find(({ manifest }) => manifest.metadata.name === name);
  const { variables = [] } = (program?.manifest.spec ?? {}) as {
    readonly variables?: readonly { readonly expression: string }[];
  };
  return variables.map(({ expression }) => expression).join('\n');
}

/** Objects without the operator's annotations about accepted specs. */
function comparable(objects: readonly object[]): string[] {
  return objects
    .map((object) => JSON.stringify(object, (key, value) => (key === 'annotations' ? undefined : value)))
    .sort();
}
