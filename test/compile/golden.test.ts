/**
 * All that is rendered for the samples and for our inputs, as it stands in golden/. After a change that is meant:
 * UPDATE_GOLDEN=1 npx mocha test/compile, and read the difference.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dump, loadAll } from 'js-yaml';
import { type CapabilityPolicy, type CompletePolicy, ROLLOUT_PENDING } from '../../operator/api/capability-policy.ts';
import { completePolicy } from '../../operator/api/defaults.ts';
import { type Compiled, compile } from '../../operator/compile/compile.ts';
import { podSecurityLabels } from '../../operator/compile/labels.ts';
import { isPendingPart, policyNameOf, rolloutLabel } from '../../operator/policy/parts.ts';
import { NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const GOLDEN = join(import.meta.dirname, 'golden');
const SOURCES = {
  samples: join(ROOT, 'config', 'samples'),
  inputs: join(import.meta.dirname, 'inputs'),
  // Apart, since the parts of a policy would be siblings of the others.
  rollouts: join(import.meta.dirname, 'rollouts'),
};
const OPTIONS = {
  oldestServer: NEWEST_KNOWN_MINOR,
  operatorNamespace: 'capabilitypolicy-system',
  excludedNamespaces: ['kube-system', 'openshift-*'],
};
const UPDATE = process.env.UPDATE_GOLDEN === '1';

/** Name of the golden file → its text. */
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

  it('gives the same bytes in any order of policies', () => {
    assert.equal(bytes(policies), bytes(policies.toReversed()));
  });

  it('gives another name to every other ruleset, and the same to the same', () => {
    const [policy] = policies as [CompletePolicy];
    const changed = [
      policy,
      { ...policy, metadata: { ...policy.metadata, uid: 'another' } },
      { ...policy, spec: { ...policy.spec, mode: 'Enforce' as const } },
      { ...policy, spec: { ...policy.spec, levelVersion: 'v1.0' } },
      { ...policy, spec: { ...policy.spec, namespaceSelector: { matchLabels: { a: 'b' } } } },
      { ...policy, spec: { ...policy.spec, overrides: { privileged: true } } },
    ];
    const rulesets = changed.map((one) => [...compile([one], OPTIONS).rendered.values()][0]?.admission.ruleset);
    assert.equal(new Set(rulesets).size, changed.length);
    const relabelled = { ...policy, metadata: { ...policy.metadata, labels: { a: 'b' }, generation: 7 } };
    const [{ admission } = { admission: undefined }] = compile([relabelled], OPTIONS).rendered.values();
    assert.equal(admission?.ruleset, rulesets[0]);
  });

  it('leaves out a refused policy, and renders the others as if it did not exist', () => {
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

/** One file a policy or part, with a namespace that has the labels its selector names; and one for the guard. */
function render(source: string, policies: readonly CompletePolicy[]): Map<string, string> {
  const compiled = compile(policies, OPTIONS);
  const ofPolicies = [...compiled.rendered].map(([id, { admission, role, roleBinding }]): [string, unknown[]] => [
    id.replace('/', '-'),
    [...admission.objects, role ?? [], roleBinding ?? [], namespaceOf(id, compiled)].flat(),
  ]);
  const all: [string, readonly unknown[]][] = [
    ...ofPolicies,
    ['guard', compiled.guards.flatMap(({ admission }) => admission.objects)],
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
  return dump(object, { lineWidth: 120, noRefs: true });
}
