import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Snapshot } from '../../../analysis/snapshot/document.ts';
import type { CompletePolicy } from '../../../operator/api/capability-policy.ts';
import type { Cluster, PodContent } from '../../../operator/model/objects.ts';
import { type CapabilityMap, capabilityMap, type MapWorkload } from '../../../ui/model/capability-map.ts';
import { COLUMNS, columnOf, HELD } from '../../../ui/model/holding.ts';
import { columnAt, drawingOf, LEFTS } from '../../../ui/model/map-drawing.ts';
import { type FilteredMap, filterMap, type MapFilter, type Order, rowsOf } from '../../../ui/model/map-rows.ts';
import { cellText, cellWords, csvRows, rowText } from '../../../ui/model/map-text.ts';
import { arbitraryCluster } from '../../snapshot/clusters.ts';
import { adding, app, pod, secured } from '../../support/pods.ts';
import { baselinePolicy } from '../../support/policies.ts';
import { takenSnapshot } from '../../support/snapshots.ts';
import { clusterOf, wholeCluster, workloadView } from '../../support/views.ts';

const NO_FILTER: MapFilter = {
  text: '',
  capability: '',
  namespace: '',
  policy: '',
  held: '',
  state: '',
  verdict: '',
};

/** A cluster with the given Deployments, by namespace and name. */
function cluster(
  deployments: Readonly<Record<string, Readonly<Record<string, PodContent>>>>,
  policies: readonly CompletePolicy[] = [],
): Cluster {
  const workloads = Object.entries(deployments).flatMap(([namespace, ofNamespace]) =>
    Object.entries(ofNamespace).map(([name, template]) => workloadView('Deployment', name, { namespace, template })),
  );
  const namespaces = Object.keys(deployments).map((name) => ({
    name,
    uid: name,
    terminating: false,
    labels: { team: name },
    labelOwners: {},
  }));
  return wholeCluster(clusterOf(workloads), policies, namespaces);
}

function mapOf(...of: Parameters<typeof cluster>): CapabilityMap {
  return capabilityMap(takenSnapshot(cluster(...of)), 'containerd');
}

function workload(map: CapabilityMap, name: string): MapWorkload {
  const found = map.namespaces.flatMap(({ workloads }) => workloads).find((one) => one.name === name);
  assert.ok(found);
  return found;
}

/** The text for the cell of a workload. */
function cell(map: CapabilityMap, name: string, capability: string): string {
  return cellText(workload(map, name).content, columnOf(capability) as number);
}

function names({ namespaces }: FilteredMap): string[] {
  return namespaces.flatMap(({ namespace, workloads }) => workloads.map(({ name }) => `${namespace.name}/${name}`));
}

const PRIVILEGED = app(secured({ privileged: true }));
const DROPPING = app(secured({ capabilities: { drop: ['ALL'] } }));

/**
 * The computed part of a map. The result leaves out the field `mapper`, because the page uses `mapper` for the next
 * map.
 */
function shown({ runtime, namespaces }: CapabilityMap) {
  return { runtime, namespaces };
}

describe('the map of a cluster that changes', () => {
  it('after a change, the map equals the map of a snapshot that is read for the first time', () => {
    let kept = 0;
    const property = fc.property(
      fc.array(arbitraryCluster, { minLength: 2, maxLength: 3 }),
      fc.nat(),
      (clusters, seed) => {
        const [first, ...others] = clusters.map((one) => takenSnapshot(one));
        assert.ok(first);
        const next: Snapshot[] = [
          { ...first, policies: first.policies.slice(1) },
          { ...first, namespaces: first.namespaces.slice(seed % 2) },
          { ...first, shapes: first.shapes.toReversed() },
          ...others,
          first,
        ];
        let before: CapabilityMap | undefined;
        for (const snapshot of [first, ...next]) {
          const after = capabilityMap(snapshot, 'containerd', before);
          assert.deepEqual(shown(after), shown(capabilityMap(snapshot, 'containerd')));
          kept += after.namespaces.filter((one) => before?.namespaces.includes(one)).length;
          before = after;
        }
      },
    );
    fc.assert(property, { numRuns: 30 });
    assert.ok(kept > 0);
  });
});

describe('the map of capabilities: the columns', () => {
  it('the columns are all capabilities, beginning with SYS_ADMIN, and then ordered by risk, most dangerous class first', () => {
    assert.equal(COLUMNS.length, 41);
    assert.deepEqual(
      COLUMNS.map(({ risk }) => risk).filter((risk, index, all) => risk !== all[index - 1]),
      ['host', 'node', 'kernel', 'container', 'low'],
    );
    assert.deepEqual(
      COLUMNS.slice(0, 3).map(({ name }) => name),
      ['SYS_ADMIN', 'SYS_MODULE', 'SYS_RAWIO'],
    );
  });

  it('are found under the pointer', () => {
    for (const [column, left] of LEFTS.entries()) {
      assert.equal(columnAt(left), column);
      assert.equal(columnAt(left + 19), column);
    }
    assert.equal(columnAt(-1), undefined);
    assert.equal(columnAt(100_000), undefined);
  });
});

describe('the map of capabilities: the cells', () => {
  it('the cells say what the runtime gives, what the container adds, and what a privileged container holds', () => {
    const map = mapOf({ a: { plain: pod(), adds: adding(['SYS_TIME']), all: PRIVILEGED, drops: DROPPING } });
    assert.equal(cell(map, 'plain', 'NET_RAW'), 'NET_RAW: given by the runtime');
    assert.equal(cell(map, 'adds', 'SYS_TIME'), 'SYS_TIME: added');
    assert.equal(cell(map, 'all', 'SYS_ADMIN'), 'SYS_ADMIN: held as privileged');
    assert.equal(cell(map, 'drops', 'NET_RAW'), 'NET_RAW: not held');
  });

  it('follow the container runtime', () => {
    const taken = takenSnapshot(cluster({ a: { plain: pod(), prefixed: adding(['CAP_SYS_TIME', 'CAP_CHOWN']) } }));
    const [containerd, crio] = [capabilityMap(taken, 'containerd'), capabilityMap(taken, 'CRI-O')];
    assert.equal(cell(crio, 'plain', 'NET_RAW'), 'NET_RAW: not held');
    assert.equal(cell(containerd, 'prefixed', 'SYS_TIME'), 'SYS_TIME: not held');
    assert.equal(cell(crio, 'prefixed', 'SYS_TIME'), 'SYS_TIME: added');
    assert.equal(cell(crio, 'prefixed', 'CHOWN'), 'CHOWN: added');
    // The runtime containerd ignores the added name CAP_CHOWN, but gives CHOWN by default.
    assert.equal(cell(containerd, 'prefixed', 'CHOWN'), 'CHOWN: given by the runtime');
  });

  it('the cells say that the runtime does not start a container', () => {
    const taken = takenSnapshot(cluster({ a: { wrong: adding(['NO_SUCH']) } }));
    const [container] = workload(capabilityMap(taken, 'Docker'), 'wrong').content.containers;
    assert.match(container?.error ?? '', /unknown capability/);
    assert.equal(rowText(container as never), 'holds no capability');
  });

  it('tell what the deciding policy allows', () => {
    const map = mapOf({ a: { plain: pod(), adds: adding(['SYS_TIME']), all: PRIVILEGED } }, [
      baselinePolicy('base', { mode: 'Enforce' }),
    ]);
    assert.equal(cell(map, 'plain', 'CHOWN'), 'CHOWN: given by the runtime, allowed');
    assert.equal(cell(map, 'plain', 'NET_RAW'), 'NET_RAW: given by the runtime, allowed');
    assert.equal(cell(map, 'adds', 'SYS_TIME'), 'SYS_TIME: added, not allowed');
    assert.equal(cell(map, 'plain', 'SYS_TIME'), 'SYS_TIME: not held');
    assert.equal(cell(map, 'all', 'CHOWN'), 'CHOWN: held as privileged, not allowed');
  });

  it('the cells of several containers show the worst container', () => {
    const two = pod({
      containers: [
        { name: 'one', ...secured({ capabilities: { drop: ['ALL'], add: ['CHOWN', 'SYS_TIME'] } }) },
        { name: 'two', ...secured({ capabilities: { drop: ['ALL'], add: ['CHOWN'] } }) },
        { name: 'three', ...secured({ privileged: true }) },
      ],
    });
    const map = mapOf({ a: { two } }, [baselinePolicy('base', { mode: 'Enforce' })]);
    const { content } = workload(map, 'two');
    assert.deepEqual(
      content.containers.map(({ name }) => name),
      ['one', 'two', 'three'],
    );
    assert.equal(cellText(content, columnOf('SYS_TIME') as number), 'SYS_TIME: held as privileged, not allowed');
    assert.equal(content.unprivileged?.[columnOf('SYS_TIME') as number], HELD.added);
    assert.equal(content.unprivileged?.[columnOf('SYS_ADMIN') as number], HELD.no);
    assert.equal(cellText(content.containers[1] as never, columnOf('CHOWN') as number), 'CHOWN: added, allowed');
  });

  it('with evidence, the cells say which capabilities are held but not used', () => {
    const taken = takenSnapshot(
      cluster({ a: { clock: adding(['SYS_TIME', 'NET_ADMIN']), other: adding(['SYS_TIME']) } }),
    );
    const used = [{ kind: 'Deployment', name: 'clock', container: 'app', used: ['SYS_TIME'] }];
    const [a] = taken.namespaces;
    assert.ok(a);
    const map = capabilityMap({ ...taken, namespaces: [{ ...a, used }] }, 'containerd');
    assert.equal(cell(map, 'clock', 'SYS_TIME'), 'SYS_TIME: added');
    assert.equal(cell(map, 'clock', 'NET_ADMIN'), 'NET_ADMIN: added, unused');
    assert.equal(cell(map, 'clock', 'CHOWN'), 'CHOWN: given by the runtime, unused');
    assert.equal(cell(map, 'other', 'SYS_TIME'), 'SYS_TIME: added');
    const unused = filterMap(map, { ...NO_FILTER, held: 'unused', capability: 'NET_ADMIN' }, 'name');
    assert.deepEqual(names(unused), ['a/clock']);
    const risks = drawingOf(workload(map, 'clock').content).unused.map(([risk]) => risk);
    assert.deepEqual(risks.sort(), ['container', 'low', 'node']);
    assert.match(rowText(workload(map, 'clock').content), /; unused: NET_ADMIN, NET_RAW, DAC_OVERRIDE/);
    // Without evidence about the workload `other`, nobody knows whether the workload uses the capabilities of its
    // runtime.
    const [{ cells }] = filterMap(map, NO_FILTER, 'name').namespaces as [FilteredMap['namespaces'][number]];
    assert.equal(cells.unused?.[columnOf('CHOWN') as number], 0);
    assert.equal(cells.unused?.[columnOf('NET_ADMIN') as number], 1);
  });

  it('the rows and the verdicts have the same workload names', () => {
    fc.assert(
      fc.property(arbitraryCluster, (random) => {
        const taken = takenSnapshot(random);
        const map = capabilityMap(taken, 'containerd');
        for (const [index, { verdicts }] of taken.namespaces.entries()) {
          const own = map.namespaces[index]?.workloads ?? [];
          for (const { kind, name, verdict } of verdicts) {
            const found = own.find((one) => one.kind === kind && one.name === name);
            assert.ok(found, `${kind}/${name}`);
            assert.ok(verdict === 'Compliant' || found.verdict !== 'Compliant');
          }
        }
      }),
      { numRuns: 100 },
    );
  });

  it('agree with the capabilities in the document', () => {
    fc.assert(
      fc.property(arbitraryCluster, (random) => {
        const taken = takenSnapshot(random);
        const held = new Set(
          taken.shapes.flatMap(({ capabilities }) =>
            capabilities.flatMap(({ held: { 'CRI-O': names } }) => ('error' in names ? [] : names)),
          ),
        );
        for (const { workloads } of capabilityMap(taken, 'CRI-O').namespaces) {
          for (const { content } of workloads) {
            for (const [column, { name }] of COLUMNS.entries()) {
              if (content.how[column] !== HELD.no) assert.ok(held.has(name));
            }
          }
        }
      }),
      { numRuns: 50 },
    );
  });
});

describe('the map of capabilities: the rows', () => {
  const SOME = {
    beta: { plain: pod(), quiet: DROPPING },
    alpha: { drops: DROPPING },
    gamma: { clock: adding(['SYS_TIME']), all: PRIVILEGED },
  };
  const map = mapOf(SOME, [
    baselinePolicy('for-gamma', { mode: 'Enforce', namespaceSelector: { matchLabels: { team: 'gamma' } } }),
  ]);
  const filtered = (filter: Partial<MapFilter>, order: Order = 'name') =>
    filterMap(map, { ...NO_FILTER, ...filter }, order);

  it('the rows are sorted by risk, by violations or by name', () => {
    const sorted = (order: Order) => names(filtered({}, order));
    assert.deepEqual(sorted('risk'), ['gamma/all', 'gamma/clock', 'beta/plain', 'beta/quiet', 'alpha/drops']);
    assert.deepEqual(sorted('name'), ['alpha/drops', 'beta/plain', 'beta/quiet', 'gamma/all', 'gamma/clock']);
    assert.equal(filtered({}, 'violations').namespaces[0]?.violating, 2);
  });

  it('the rows are filtered by name, capability, way of holding, policy, state, verdict and namespace', () => {
    assert.deepEqual(names(filtered({ text: 'CLOCK' })), ['gamma/clock']);
    assert.deepEqual(names(filtered({ text: 'beta' })), ['beta/plain', 'beta/quiet']);
    assert.deepEqual(names(filtered({ text: 'deployment' })).length, 5);
    assert.deepEqual(names(filtered({ capability: 'SYS_TIME' })), ['gamma/all', 'gamma/clock']);
    assert.deepEqual(names(filtered({ capability: 'SYS_TIME', held: 'added' })), ['gamma/clock']);
    assert.deepEqual(names(filtered({ held: 'privileged' })), ['gamma/all']);
    assert.deepEqual(names(filtered({ held: 'default' })), ['beta/plain', 'gamma/clock']);
    assert.deepEqual(names(filtered({ held: 'refused' })), ['gamma/all', 'gamma/clock']);
    assert.deepEqual(names(filtered({ policy: 'for-gamma' })), ['gamma/all', 'gamma/clock']);
    assert.deepEqual(names(filtered({ state: 'open' })), ['alpha/drops', 'beta/plain', 'beta/quiet']);
    assert.deepEqual(names(filtered({ verdict: 'Violating' })), ['gamma/all', 'gamma/clock']);
    assert.deepEqual(names(filtered({ namespace: 'alpha' })), ['alpha/drops']);
    assert.deepEqual(filtered({ text: 'nothing has this name' }).namespaces, []);
  });

  it('expanded rows show their parts, and each part names the row that contains the part', () => {
    const all = filtered({});
    const shown = (...expanded: string[]) =>
      rowsOf(all, new Set(expanded)).map(({ level, parent, expanded: isOpen, workload, container, namespace }) =>
        [level, container?.name ?? workload?.name ?? namespace.namespace.name, parent, isOpen].join(' '),
      );
    assert.deepEqual(shown(), ['1 alpha  false', '1 beta  false', '1 gamma  false']);
    assert.deepEqual(shown('beta', 'beta\nDeployment\nplain'), [
      '1 alpha  false',
      '1 beta  true',
      '2 plain 1 true',
      '3 app 2 ',
      '2 quiet 1 false',
      '1 gamma  false',
    ]);
  });

  it('aggregate what the filter leaves', () => {
    const [gamma] = filtered({ held: 'added' }).namespaces;
    assert.equal(gamma?.cells.how[columnOf('SYS_TIME') as number], HELD.added);
    assert.equal(gamma?.cells.how[columnOf('SYS_ADMIN') as number], HELD.no);
  });

  it('are described by sentences', () => {
    const rows = rowsOf(filtered({}), new Set(['gamma', 'gamma\nDeployment\nclock']));
    const row = rows.find(({ container, workload }) => container && workload?.name === 'clock');
    assert.ok(row);
    assert.deepEqual(cellWords(row, columnOf('SYS_TIME') as number, 'containerd'), {
      capability: 'SYS_TIME',
      here: 'The container holds the capability: its manifest adds it.',
      policy: 'Policy for-gamma (Enforce) does not allow the capability.',
      meaning:
        "It permits a process to set the system clock. Risk: impact on the network or on the whole node; the clock is the host's: no namespace isolates it. Instead: a time service of the node.",
    });
    const [alpha] = rows;
    assert.equal(cellWords(alpha as never, 0, 'containerd').policy, 'No policy decides here.');
    assert.equal(rowText(workload(map, 'drops').content), 'holds no capability');
    assert.match(
      rowText(workload(map, 'clock').content),
      /^added: SYS_TIME; given by the runtime: NET_RAW, .*; not allowed: SYS_TIME$/,
    );
    assert.match(rowText(workload(map, 'all').content), /^held as privileged: all; not allowed: all$/);
  });

  it('if only some users may use a policy, the rows do not claim that the policy allows a capability to everybody', () => {
    const subjects = [{ kind: 'ServiceAccount' as const, namespace: 'a', name: 'pinger' }];
    const policies = [
      baselinePolicy('some', { mode: 'Enforce', usableBy: 'Subjects', subjects }),
      baselinePolicy('all', { mode: 'Enforce' }),
    ];
    const taken = takenSnapshot(cluster({ a: { plain: pod() } }, policies));
    const row = rowsOf(filterMap(capabilityMap(taken, 'containerd'), NO_FILTER, 'name'), new Set())[0];
    assert.ok(row);
    assert.equal(
      cellWords(row, columnOf('CHOWN') as number, 'containerd').policy,
      'Policies all, some (Enforce) allow the capability; some does so only for pods whose users may use the policy.',
    );
  });

  it('are drawn once for the same cells', () => {
    const { content } = workload(map, 'clock');
    assert.equal(drawingOf(content), drawingOf(content));
    assert.notEqual(drawingOf(content).pluses, '');
    assert.notEqual(drawingOf(content).corners, '');
    assert.deepEqual(drawingOf(workload(map, 'drops').content).fills, []);
  });

  it('become CSV: a row for each container', () => {
    const [head, ...rows] = [...csvRows(filtered({ namespace: 'gamma' }))];
    const column = (name: string) => (head as string[]).indexOf(name);
    assert.deepEqual(
      rows.map((row) =>
        ['workload', 'policies', 'verdict', 'container', 'SYS_TIME', 'CHOWN'].map((one) => row[column(one)]),
      ),
      [
        ['all', 'for-gamma', 'Violating', 'app', 'privileged, not allowed', 'privileged, not allowed'],
        ['clock', 'for-gamma', 'Violating', 'app', 'added, not allowed', 'default'],
      ],
    );
  });
});
