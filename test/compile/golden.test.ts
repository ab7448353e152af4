/**
 * Compares all rendered objects for the samples and for our inputs with the files in golden/. After an intended change,
 * run UPDATE_GOLDEN=1 npx mocha test/compile, and read the difference.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dump, loadAll } from 'js-yaml';
import {
  type CapabilityPolicy,
  type CompletePolicy,
  type LabelSelector,
  ROLLOUT_PENDING,
} from '../../operator/api/capability-policy.ts';
import { completePolicy } from '../../operator/api/defaults.ts';
import { type Compiled, compile } from '../../operator/compile/compile.ts';
import { podSecurityLabels } from '../../operator/compile/labels.ts';
import { isPendingPart, policyNameOf, rolloutLabel } from '../../operator/policy/parts.ts';
import { formatVersion, NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';
import { manifestsOf } from '../support/compiled-objects.ts';
import { policy } from '../support/policies.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const GOLDEN = join(import.meta.dirname, 'golden');
const SOURCES = {
  samples: join(ROOT, 'config', 'samples'),
  inputs: join(import.meta.dirname, 'inputs'),
  rollouts: join(import.meta.dirname, 'rollouts'),
};
const OPTIONS = {
  oldestServer: NEWEST_KNOWN_MINOR,
  operatorNamespace: 'capabilitypolicy-system',
  excludedNamespaces: ['kube-system', 'openshift-*'],
};
const UPDATE = process.env.UPDATE_GOLDEN === '1';

/** Maps the name of each golden file to its text. */
const files = new Map(Object.entries(SOURCES).flatMap(([source, folder]) => [...render(source, readPolicies(folder))]));

describe('golden files', () => {
  before(() => {
    if (!UPDATE) return;
    for (const name of readdirSync(GOLDEN)) rmSync(join(GOLDEN, name));
    for (const [name, text] of files) writeFileSync(join(GOLDEN, name), text);
  });

  for (const [name, text] of files) {
    it(name, () => {
      const path = join(GOLDEN, name);
      assert.equal(text, existsSync(path) ? readFileSync(path, 'utf8') : 'no such file: run with UPDATE_GOLDEN=1');
    });
  }

  it('has no other files', () => assert.deepEqual(readdirSync(GOLDEN).sort(), [...files.keys()].sort()));
});

describe('rendering', () => {
  const policies = [...readPolicies(SOURCES.samples), ...readPolicies(SOURCES.inputs)];
  const bytes = (list: readonly CompletePolicy[]) => [...render('all', list)].flat().join('\n');

  it('gives the same bytes again', () => assert.equal(bytes(policies), bytes(structuredClone(policies))));

  it('rendering gives the same bytes for any order of policies', () => {
    assert.equal(bytes(policies), bytes(policies.toReversed()));
  });

  it('equal texts have equal hashes, and different texts have different hashes', () => {
    const [first] = policies as [CompletePolicy];
    const changed = [
      first,
      { ...first, spec: { ...first.spec, mode: 'Enforce' as const } },
      { ...first, spec: { ...first.spec, levelVersion: 'v1.0' } },
      { ...first, spec: { ...first.spec, namespaceSelector: { matchLabels: { a: 'b' } } } },
      { ...first, spec: { ...first.spec, overrides: { privileged: true } } },
    ];
    const texts = (one: CompletePolicy) => compile([one], OPTIONS).programs.map(({ name, hash }) => `${name} ${hash}`);
    const rows = (one: CompletePolicy) => compile([one], OPTIONS).programs.map(({ rows }) => [...rows]);
    assert.equal(new Set(changed.map((one) => texts(one).join())).size, changed.length);
    assert.equal(new Set(changed.map((one) => JSON.stringify(rows(one)))).size, changed.length);
    const relabelled = { ...first, metadata: { ...first.metadata, labels: { a: 'b' }, generation: 7 } };
    // Only the role of a policy contains the policy's uid.
    const again = { ...first, metadata: { ...first.metadata, uid: 'another' } };
    for (const one of [relabelled, again]) assert.deepEqual(texts(one), texts(first));
  });

  it('all tables with the same columns have the same hash of rules', () => {
    const rules = (level: 'baseline' | 'restricted', levelVersion: string) =>
      compile([policy('one'), policy('two', { level, levelVersion })], OPTIONS).programs.map(
        ({ rulesHash }) => rulesHash,
      );
    assert.deepEqual(rules('restricted', formatVersion(NEWEST_KNOWN_MINOR)), rules('restricted', 'latest'));
    assert.deepEqual(rules('baseline', 'v1.36'), rules('baseline', 'v1.35'));
  });

  it('all selectors of the same labels have the same hash of rules', () => {
    const rules = (namespaceSelector: LabelSelector) =>
      compile([policy('one', { namespaceSelector })], OPTIONS).programs.map(({ rulesHash }) => rulesHash);
    const excluding = (...values: string[]): LabelSelector => ({
      matchExpressions: [{ key: 'team', operator: 'NotIn', values }],
    });
    assert.deepEqual(rules(excluding('a')), rules(excluding('b', 'c')));
    assert.deepEqual(rules(excluding('a')), rules({ matchLabels: { team: 'a' } }));
  });

  it('rendering leaves out a refused policy, and does not change the text of the other policies', () => {
    const accepted = policies.filter(({ metadata }) => metadata?.name !== 'of-the-future');
    assert.equal(bytes(policies), bytes(accepted));
    assert.deepEqual([...compile(policies, OPTIONS).refusals.keys()], ['of-the-future']);
  });

  it('copies neither labels nor annotations of the policy', () => {
    const [policy] = policies as [CompletePolicy];
    const marked = {
      ...policy,
      metadata: { ...policy.metadata, labels: { mark: 'mark' }, annotations: { mark: 'mark' } },
    };
    assert.ok(!bytes([marked]).includes('mark'));
  });
});

/**
 * Renders one file for each program, and one file with the grants. One more golden file has namespaces whose labels
 * match the policies' selectors.
 */
function render(source: string, policies: readonly CompletePolicy[]): Map<string, string> {
  const compiled = compile(policies, OPTIONS);
  const all: [string, readonly unknown[]][] = [
    ...compiled.programs.map(({ kind, policy, bindings }): [string, unknown[]] => [
      kind.toLowerCase(),
      [policy, ...bindings],
    ]),
    ['grants', manifestsOf({ ...compiled, programs: [] })],
    ['namespaces', compiled.policies.map(({ id }) => namespaceOf(id, compiled))],
  ];
  return new Map(all.map(([name, objects]) => [`${source}-${name}.yaml`, objects.map(yaml).join('---\n')]));
}

function namespaceOf(id: string, { policies }: Compiled) {
  const pending = isPendingPart(id) ? { [rolloutLabel(policyNameOf(id))]: ROLLOUT_PENDING } : {};
  const selected = { ...policies.find((policy) => policy.id === id)?.selector?.matchLabels, ...pending };
  const labels = podSecurityLabels(policies, selected, { ...OPTIONS, podSecurityDefaults: {} });
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { labels: { ...selected, ...labels } } };
}

function readPolicies(folder: string): CompletePolicy[] {
  const yamls = readdirSync(folder).filter((name) => name.endsWith('.yaml') && name !== 'kustomization.yaml');
  const policies = yamls
    .sort()
    .flatMap((name) => loadAll(readFileSync(join(folder, name), 'utf8')) as CapabilityPolicy[])
    .map(completePolicy);
  return policies.map((policy) => ({
    ...policy,
    metadata: { ...policy.metadata, uid: `uid-of-${policy.metadata?.name}` },
  }));
}

function yaml(object: unknown): string {
  return dump(object, { lineWidth: -1, noRefs: true });
}
