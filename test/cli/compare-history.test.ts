/** Tests how `cappol compare` prints the changes in a cluster if both sets are snapshots. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Ajv } from 'ajv';
import { load } from 'js-yaml';
import { historyOf } from '../../analysis/history/history.ts';
import type { CompletePolicy } from '../../operator/api/capability-policy.ts';
import type { WorkloadView } from '../../operator/model/objects.ts';
import { namespaceView } from '../compare/worlds.ts';
import { cappol } from '../support/cappol.ts';
import { adding, app, secured } from '../support/pods.ts';
import { policy } from '../support/policies.ts';
import { TAKING, takenSnapshot } from '../support/snapshots.ts';
import { clusterOf, wholeCluster, workloadView } from '../support/views.ts';

const SCHEMA = join(import.meta.dirname, '..', '..', 'docs', 'reference', 'compare.schema.json');

interface World {
  readonly workloads?: readonly WorkloadView[];
  readonly policies: readonly CompletePolicy[];
  readonly created?: number;
  readonly namespaces?: readonly string[];
}

const NAMESPACES = ['kube-system', 'net', 'web'];

function snapshotOn(day: string, { workloads = [], policies, created = 1_000, namespaces = NAMESPACES }: World) {
  const views = namespaces.map((name) => namespaceView(name, { created }));
  const cluster = wholeCluster(clusterOf(workloads), policies, views);
  return takenSnapshot(cluster, { ...TAKING, at: Date.parse(`${day}T01:00:00Z`) });
}

const inWeb = { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'web' } } };
const OLD: World = {
  workloads: [workloadView('Deployment', 'probe'), workloadView('CronJob', 'report')],
  policies: [policy('everywhere'), policy('vendor', { ...inWeb, level: 'baseline', expires: '2026-11-25T00:00:00Z' })],
};
const NEW: World = {
  workloads: [
    workloadView('Deployment', 'probe', { template: adding(['NET_ADMIN', 'SYS_TIME']) }),
    workloadView('DaemonSet', 'agent', { template: app(secured({ privileged: true })) }),
  ],
  policies: [
    policy('everywhere', inWeb),
    policy('vendor', { ...inWeb, level: 'baseline', expires: '2026-11-25T00:00:00Z' }),
    policy('mesh', { ...inWeb, usableBy: 'Bindings', level: 'privileged', reason: 'TICKET-1' }),
  ],
};

const TEXT = `CLUSTER  from 2026-11-23T01:00:00.000Z to 2026-11-29T01:00:00.000Z

namespaces no longer enforced: 1
  net, before by policy everywhere

capabilities gained, also by new workloads: 2
  DaemonSet net/agent, container app: 41 capabilities, because it is privileged
  Deployment net/probe, container app: NET_ADMIN, SYS_TIME, added by its manifest

capabilities lost, also with workloads that are gone: 1
  CronJob net/report, container app: all 14 that container runtimes give by default

new exceptions: 1
  policy mesh (created), in web: admits more than another policy that decides there, only some users may use it, reason: TICKET-1

ended exceptions: 1
  policy vendor (expired), in web: admits more than another policy that decides there, expired at 2026-11-25T00:00:00Z

new workloads: 1
  DaemonSet net/agent

workloads that are gone: 1
  CronJob net/report
`;

describe('cappol compare, with two snapshots', () => {
  let folder: string;
  const [old, now] = [snapshotOn('2026-11-23', OLD), snapshotOn('2026-11-29', NEW)];
  const many = Array.from({ length: 25 }, (_, i) => workloadView('Deployment', `d-${String(i).padStart(2, '0')}`));
  const files = {
    'monday.json': old,
    'sunday.json': now,
    'same.json': { ...old, taken: '2026-11-29T01:00:00.000Z' },
    'many.json': snapshotOn('2026-11-29', { ...OLD, workloads: [...(OLD.workloads ?? []), ...many] }),
    'other.json': snapshotOn('2026-11-29', { ...NEW, created: 2_000 }),
    'without-users.json': { ...now, usersKnown: false },
    'incomplete.json': {
      ...now,
      missing: ['you may not list pods: nothing is evaluated'],
      namespaces: now.namespaces.map((one) => ({ ...one, reached: false, deciding: {}, pods: [], verdicts: [] })),
    },
  };
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'compare-history-'));
    for (const [name, snapshot] of Object.entries(files)) writeFileSync(join(folder, name), JSON.stringify(snapshot));
    writeFileSync(join(folder, 'monday.json.gz'), gzipSync(JSON.stringify(old)));
    writeFileSync(join(folder, 'policy.yaml'), JSON.stringify(policy('everywhere')));
  });
  after(() => rmSync(folder, { recursive: true }));
  const AT = ['--at', '2026-11-29T01:00:00Z'];
  /**
   * Compares two files, with the time of the second snapshot as the current time. The low limit makes the comparison of
   * the policies short.
   */
  const compared = (...args: string[]) => cappol(['compare', ...args, '--limit', '1', ...AT], '', folder);

  it('compare prints the changes in the cluster after the changes of the policies', async () => {
    const { stdout } = await cappol(['compare', 'monday.json.gz', 'sunday.json', ...AT], '', folder);
    assert.ok(stdout.startsWith('sunday.json admits pods that monday.json.gz refuses'), stdout);
    assert.equal(stdout.slice(stdout.indexOf('CLUSTER')), TEXT);
  });

  it('says that nothing changed', async () => {
    const { code, stdout } = await cappol(['compare', 'monday.json', 'monday.json.gz', ...AT], '', folder);
    const [, ...lines] = stdout.split('\n');
    assert.deepEqual(lines, ['', 'CLUSTER UNCHANGED  from 2026-11-23T01:00:00.000Z to 2026-11-23T01:00:00.000Z', '']);
    assert.equal(code, 0);
  });

  it('compare ends with exit code 0 if only the cluster changed', async () => {
    const { code } = await cappol(['compare', 'same.json', 'many.json', '--fail-on', 'differs', ...AT], '', folder);
    assert.equal(code, 0);
  });

  it('compare shortens a long list, and prints the whole list with --all', async () => {
    const cut = await compared('same.json', 'many.json');
    assert.match(cut.stdout, /^new workloads: 25\n(?: {2}Deployment net\/d-\d\d\n){20} {2}… and 5 more\n$/m);
    const all = await compared('same.json', 'many.json', '--all');
    assert.match(all.stdout, /^new workloads: 25\n(?: {2}Deployment net\/d-\d\d\n){25}$/m);
  });

  it('folds each list in Markdown', async () => {
    const { stdout } = await compared('monday.json', 'sunday.json', '-o', 'markdown');
    assert.match(stdout, /^\*\*cluster\*\* `from 2026-11-23T01:00:00\.000Z to 2026-11-29T01:00:00\.000Z`$/m);
    const list = '<details><summary>new workloads: 1</summary>\n\n- `DaemonSet net/agent`\n\n</details>';
    assert.ok(stdout.includes(list), stdout);
  });

  it('compare prints JSON that follows the schema, and YAML with the same content', async () => {
    const validate = new Ajv({
      strict: true,
      strictTypes: false,
      strictRequired: false,
      allowUnionTypes: true,
    }).compile(JSON.parse(readFileSync(SCHEMA, 'utf8')));
    for (const args of [
      ['monday.json', 'sunday.json'],
      ['sunday.json', 'monday.json'],
      ['monday.json', 'monday.json'],
    ]) {
      const document = JSON.parse((await compared(...args, '-o', 'json')).stdout);
      assert.ok(validate(document), JSON.stringify(validate.errors));
      assert.deepEqual(load((await compared(...args, '-o', 'yaml')).stdout), document);
    }
    const { history } = JSON.parse((await compared('monday.json', 'sunday.json', '-o', 'json')).stdout);
    assert.deepEqual(history, JSON.parse(JSON.stringify(historyOf(old, now))));
  });

  it('compare prints no history if one of the two inputs is not a snapshot', async () => {
    const { stdout } = await compared('monday.json', 'policy.yaml', '-o', 'json');
    assert.equal(JSON.parse(stdout).history, null);
    assert.doesNotMatch((await compared('monday.json', 'policy.yaml')).stdout, /CLUSTER/);
  });

  const WITHOUT = {
    'incomplete.json': /is incomplete: you may not list pods/,
    'other.json': /are from two different clusters/,
  };
  for (const [file, reason] of Object.entries(WITHOUT)) {
    it(`compares only the policies, and says why: ${file}`, async () => {
      const { stdout, stderr } = await compared('monday.json', file);
      assert.match(stderr, /^cappol: only the policies are compared: /m);
      assert.match(stderr, reason);
      assert.doesNotMatch(stdout, /CLUSTER/);
    });
  }

  it('says that the users of policies are missing in one snapshot', async () => {
    const { stdout, stderr } = await compared('monday.json', 'without-users.json');
    assert.match(stderr, /^cappol: the snapshot of 2026-11-29T01:00:00\.000Z lacks the users of policies, /m);
    assert.match(stdout, /CLUSTER/);
  });

  const BEGAN: Readonly<Record<string, readonly [World, World, line: string]>> = {
    'the only namespace of an exception was deleted': [
      { policies: [policy('all'), policy('open', { ...inWeb, level: 'baseline' })] },
      {
        policies: [policy('all'), policy('open', { ...inWeb, level: 'baseline' })],
        namespaces: ['kube-system', 'net'],
      },
      'policy open (no namespace left), in web: admits more than another policy that decides there',
    ],
    'a policy that is not an exception any more stays the same': [
      { policies: [policy('all', inWeb), policy('open', { level: 'baseline' })] },
      { policies: [policy('open', { level: 'baseline' })] },
      'policy open (through another change), in net, web: admits more than another policy that decides in one of these namespaces',
    ],
  };
  for (const [what, [before, after, line]] of Object.entries(BEGAN)) {
    it(`says why an exception ended: ${what}`, async () => {
      writeFileSync(join(folder, 'before.json'), JSON.stringify(snapshotOn('2026-11-23', before)));
      writeFileSync(join(folder, 'after.json'), JSON.stringify(snapshotOn('2026-11-29', after)));
      const { stdout } = await compared('before.json', 'after.json');
      assert.ok(stdout.includes(`\nended exceptions: 1\n  ${line}\n`), stdout);
    });
  }

  it('prints no control characters of a file', async () => {
    const [net] = now.namespaces.filter(({ name }) => name === 'net');
    const [controller] = net?.controllers ?? [];
    assert.ok(net && controller);
    const named = { ...net, controllers: [{ ...controller, id: 99, name: 'a\u001b[31mb' }] };
    const hostile = { ...now, namespaces: now.namespaces.map((one) => (one.name === 'net' ? named : one)) };
    writeFileSync(join(folder, 'hostile.json'), JSON.stringify(hostile));
    for (const output of ['text', 'markdown', 'json', 'yaml']) {
      const { stdout } = await compared('monday.json', 'hostile.json', '-o', output);
      assert.ok(stdout.includes('[31mb') && !stdout.includes('\u001b'), output);
    }
  });
});
