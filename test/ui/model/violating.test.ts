import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Snapshot } from '../../../analysis/snapshot/document.ts';
import { snapshotOf } from '../../../cli/commands/snapshot/run.ts';
import { fixCommand } from '../../../ui/model/fix-command.ts';
import {
  effectText,
  filtered,
  parseOrder,
  SORTS,
  sorted,
  type ViolatingRow,
  violatingRows,
} from '../../../ui/model/violating.ts';
import { arbitraryCluster } from '../../snapshot/clusters.ts';
import { ALL_RIGHTS, TAKING } from '../../support/snapshots.ts';

const ALL = { namespace: '', policy: '', rule: '', result: '', text: '' };

const row = (fields: Partial<ViolatingRow>): ViolatingRow => ({
  namespace: 'net',
  kind: 'Deployment',
  name: 'ping',
  mode: 'Enforce',
  verdict: 'Violating',
  effect: 'Refused',
  pods: 0,
  policies: ['base'],
  rules: ['capabilities'],
  of: {} as ViolatingRow['of'],
  ...fields,
});

describe('the commands that fix manifests', () => {
  const snapshot = (usableBy: 'Everyone' | 'Bindings', excludedNamespaces: string[]) =>
    ({ policies: [{ spec: { usableBy } }], excludedNamespaces }) as unknown as Snapshot;

  it('get what decides from the cluster', () => {
    assert.deepEqual(fixCommand('net', snapshot('Everyone', [])).split('\n'), [
      'kubectl get capabilitypolicies,namespaces --all-namespaces -o yaml > /tmp/policies.yaml',
      'cappol fix -f . --policy /tmp/policies.yaml --namespace net',
      '',
    ]);
  });

  it('if a policy has restricted use, the commands also get roles and bindings, and the commands exclude the same namespaces', () => {
    const text = fixCommand('net', snapshot('Bindings', ['kube-*', 'x']));
    assert.match(text, /get capabilitypolicies,namespaces,clusterroles,clusterrolebindings,roles,rolebindings /);
    assert.match(text, / --namespace net --excluded-namespaces 'kube-\*,x'$/m);
  });

  it('the commands execute nothing from the names in a snapshot, even if somebody else made the snapshot', () => {
    const text = fixCommand('$(id)\n`id`', snapshot('Everyone', ["x' ; id '"]));
    assert.ok(text.includes(` --namespace '$(id)\n\`id\`' --excluded-namespaces 'x'\\'' ; id '\\'''`), text);
  });
});

describe('the workloads that violate', () => {
  it('the rows are filtered by result, and an unknown result does not count as refused', () => {
    const rows = [row({}), row({ verdict: 'Unknown', effect: 'Unknown' }), row({ mode: 'Audit', effect: 'Audited' })];
    const effects = (result: string) => filtered(rows, { ...ALL, result }).map(({ effect }) => effect);
    assert.deepEqual(effects('Refused'), ['Refused']);
    assert.deepEqual(effects('Unknown'), ['Unknown']);
    assert.deepEqual(effects(''), ['Refused', 'Unknown', 'Audited']);
  });

  it('the rows are all verdicts except Compliant, with the violated rules, for random clusters', () => {
    let compared = 0;
    fc.assert(
      fc.property(arbitraryCluster, (cluster) => {
        const taken: Snapshot = snapshotOf(cluster, ALL_RIGHTS, TAKING);
        const rows = violatingRows(taken);
        const verdicts = taken.namespaces.flatMap(({ verdicts }) => verdicts);
        assert.deepEqual(
          rows.map(({ of }) => of),
          verdicts.filter(({ verdict }) => verdict !== 'Compliant'),
        );
        for (const { of, rules } of rows) {
          const indexes = Object.values(of.violations ?? {}).flat();
          assert.deepEqual(new Set(rules), new Set(indexes.map((index) => taken.violations[index]?.rule)));
          compared += 1;
        }
        for (const sort of SORTS) {
          const order = sorted(rows, sort);
          assert.deepEqual(new Set(order), new Set(rows));
          assert.deepEqual(sorted(rows.toReversed(), sort), order, sort);
        }
      }),
      { seed: 7, numRuns: 30 },
    );
    assert.ok(compared > 20, `${compared}`);
  });

  it('the rows are filtered by each column, and by text', () => {
    const rows = [
      row({}),
      row({ namespace: 'web', policies: ['other'], rules: ['privileged'], mode: 'Warn', effect: 'Warned' }),
    ];
    const namespaces = (filter: object) => filtered(rows, { ...ALL, ...filter }).map(({ namespace }) => namespace);
    assert.deepEqual(namespaces({}), ['net', 'web']);
    assert.deepEqual(namespaces({ namespace: 'web' }), ['web']);
    assert.deepEqual(namespaces({ policy: 'base' }), ['net']);
    assert.deepEqual(namespaces({ rule: 'privileged' }), ['web']);
    assert.deepEqual(namespaces({ result: 'Refused', rule: 'privileged' }), []);
    assert.deepEqual(namespaces({ text: 'WEB/deploy' }), ['web']);
  });

  it('the rows are sorted by effect, refused rows first, and then by the worst rule', () => {
    const rows = [
      row({ name: 'a', mode: 'Audit', rules: ['privileged'] }),
      row({ name: 'b', rules: ['readOnlyRootFilesystem'] }),
      row({ name: 'c', rules: ['privileged'] }),
    ];
    assert.deepEqual(
      sorted(rows, '').map(({ name }) => name),
      ['c', 'b', 'a'],
    );
    assert.deepEqual(
      sorted(rows, '-workload').map(({ name }) => name),
      ['c', 'b', 'a'],
    );
    assert.deepEqual(parseOrder('-nonsense'), { sort: 'worst', reverse: true });
  });

  it('the text says what happens to new pods, and how many pods run', () => {
    assert.equal(effectText(row({})), 'New pods of the workload are refused.');
    assert.equal(
      effectText(row({ mode: 'Warn', pods: 2 })),
      'New pods of the workload are created, and the creators see a warning. 2 running pods violate the policy.',
    );
  });
});
