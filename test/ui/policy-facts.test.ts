import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { loadAll } from 'js-yaml';
import { isProbe, withoutOwner } from '../../cli/commands/render/objects.ts';
import { isGuard } from '../../operator/compile/admission-set.ts';
import type { Manifest } from '../../operator/compile/objects.ts';
import { POLICY_LABEL } from '../../operator/compile/objects.ts';
import type { Snapshot } from '../../operator/snapshot/document.ts';
import { foldedCel } from '../../ui/model/folded-cel.ts';
import { createAnswers } from '../../ui/worker/answers.ts';
import { celIn } from '../../ui/worker/policy-facts.ts';
import { arbitraryCluster } from '../snapshot/clusters.ts';
import { cappol } from '../support/cappol.ts';
import { policy } from '../support/policies.ts';
import { takenSnapshot } from '../support/snapshots.ts';
import { binding, clusterOf, useRole, wholeCluster } from '../support/views.ts';

const PLACES = ['--operator-namespace', 'operator', '--excluded-namespaces', 'kube-*'];

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

/** Policies of all forms: peers, a roll-out, single containers, users, defaulting. */
const POLICIES = [
  policy('base', { level: 'baseline', defaulting: 'Enabled' }),
  policy('base-peer', {
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
    roles: () => [useRole('base-peer'), { name: 'admin', rules: [EVERYTHING] }],
    roleBindings: () => [
      binding('capabilitypolicy.dev:use:base-peer', pinger, 'net'),
      binding('admin', { kind: 'Group', name: 'admins' }),
    ],
  });
  const answers = answersFor(taken);

  it('say where it decides, as the snapshot does, for random clusters', () => {
    let compared = 0;
    fc.assert(
      fc.property(arbitraryCluster, (cluster) => {
        const random = takenSnapshot(cluster);
        const asked = answersFor(random);
        for (const { name } of random.policies) {
          const { places } = asked.policy({ policy: name });
          const decides = places.filter(({ role }) => role.name === 'Decides' || role.name === 'Shares');
          compared += decides.length;
          assert.deepEqual(
            decides.map((place) => [place.namespace, place.mode]),
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
    assert.deepEqual(answers.policy({ policy: 'base-peer' }).users, {
      // The first is what the operator's own binding grants.
      holders: [{ subject: pinger }, { subject: pinger, namespace: 'net' }],
      holdersOfAll: [{ subject: { kind: 'Group', name: 'admins' }, wildcard: true }],
    });
    const unread = answersFor({ ...taken, usersKnown: false });
    assert.equal(unread.policy({ policy: 'base-peer' }).users, undefined);
    const { usersKnown: _, ...earlier } = taken;
    assert.ok(answersFor(earlier).policy({ policy: 'base-peer' }).users);
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

  it('say why nothing of it is in force', () => {
    const expired = policy('over', { expires: '1969-12-31T00:00:00Z' });
    const refused = policy('new', { levelVersion: 'v1.99' });
    const asked = answersFor(takenSnapshot(wholeCluster(clusterOf([], []), [expired, refused], [namespace('a')])));
    assert.deepEqual(asked.policy({ policy: 'over' }).force, { in: false, why: 'Expired' });
    assert.deepEqual(asked.policy({ policy: 'new' }).force, { in: false, why: 'NotAccepted' });
    assert.deepEqual(asked.policy({ policy: 'gone' }).force, { in: false, why: 'Gone' });
    assert.deepEqual(asked.policy({ policy: 'gone' }).places, []);
  });

  it('have the objects of `cappol render`', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'policy-facts-'));
    try {
      const manifests = POLICIES.map(({ apiVersion, kind, metadata: { name }, spec }) =>
        JSON.stringify({ apiVersion, kind, metadata: { name }, spec }),
      );
      writeFileSync(join(folder, 'policies.yaml'), manifests.join('\n---\n'));
      const { stdout } = await cappol(['render', '--policy', 'policies.yaml', ...PLACES], '', folder);
      const guards = ({ metadata }: Manifest) => isGuard(metadata.labels[POLICY_LABEL] ?? '');
      const [guard = [], rendered = []] = [true, false].map((wanted) =>
        (loadAll(stdout) as Manifest[]).filter((object) => guards(object) === wanted),
      );
      const shown = POLICIES.flatMap(({ metadata: { name } }) =>
        answers.rendered({ policy: name }).objects.map(({ manifest }) => manifest),
      );
      assert.ok(shown.length > 12);
      const written = shown.filter((object) => !isProbe(object)).map(withoutOwner);
      assert.deepEqual(comparable(written), comparable(rendered));
      assert.ok(guard.length > 1);
      for (const { metadata, spec } of POLICIES) {
        const shared = answers.rendered({ policy: metadata.name }).guards.map(({ manifest }) => manifest);
        const own = shared.filter((object) => !isProbe(object)).map(withoutOwner);
        assert.deepEqual(comparable(own), spec.mode === 'Enforce' ? comparable(guard) : [], metadata.name);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('have each check of its rules in the text of its objects, which the pieces of the page are', () => {
    for (const { metadata } of POLICIES) {
      const { objects, rules, decidedBy } = answers.rendered({ policy: metadata.name });
      assert.deepEqual(decidedBy, metadata.name === 'base-peer' ? ['base'] : []);
      const known = new Map(rules.map(({ rule }) => [rule, 0]));
      for (const text of celIn(objects.map(({ manifest }) => manifest))) {
        const pieces = foldedCel(text, rules);
        assert.equal(pieces.map((piece) => piece.text).join(''), text);
        for (const { rule } of pieces) if (rule !== undefined) known.set(rule, (known.get(rule) ?? 0) + 1);
      }
      assert.equal(known.size > 15, decidedBy.length === 0, metadata.name);
      for (const [rule, count] of known) assert.ok(count > 0, `${metadata.name}: ${rule}`);
    }
  });
});

/** The hash of a ruleset depends on the policy's uid, which files do not have. */
function comparable(objects: readonly object[]): string[] {
  return objects.map((object) => JSON.stringify(object).replaceAll(/[0-9a-f]{12}/g, 'HASH')).sort();
}
