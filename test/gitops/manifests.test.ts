/** Checks that the parts of config/argocd fit together. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { load, loadAll } from 'js-yaml';
import type { Json } from '../../hack/controlplane/api.ts';
import { Tools } from '../../hack/tools.ts';
import { WITHDRAWAL_FINALIZER } from '../../operator/api/capability-policy.ts';
import { matches } from '../../operator/policy/selector.ts';
import { readPage } from '../support/page.ts';
import { CONFIG } from '../support/rights.ts';
import { CUSTOMIZATION } from './health.ts';

const ARGOCD = join(CONFIG, 'argocd');
const WAVE = 'argocd.argoproj.io/sync-wave';
const GUARDED = { 'argocd.argoproj.io/sync-options': 'Prune=false,Delete=confirm' };

describe('config/argocd', () => {
  const [policy, namespace] = ['policy', 'namespace'].map((name) => read(`samples/${name}.yaml`)[0]);
  const [operator, policies] = read('application.yaml');
  const [teams] = read('applicationset.yaml');

  it('config/argocd adds the health of policies to argocd-cm, and keeps existing entries', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'capabilitypolicy-argocd-'));
    const tools = await Tools.find();
    try {
      // kustomize accepts only relative paths.
      symlinkSync(CONFIG, join(folder, 'config'));
      write(folder, 'cm.yaml', { ...configMap, data: { 'kustomize.buildOptions': '--enable-helm' } });
      write(folder, 'kustomization.yaml', { resources: ['cm.yaml'], components: ['config/argocd'] });
      const { stdout } = await tools.run('kubectl', 'kustomize', folder);
      assert.deepEqual(load(stdout), {
        ...configMap,
        data: {
          'kustomize.buildOptions': '--enable-helm',
          'resource.customizations.health.capabilitypolicy.dev_CapabilityPolicy': readFileSync(
            join(CUSTOMIZATION, 'health.lua'),
            'utf8',
          ),
        },
      });
    } finally {
      tools.end();
      rmSync(folder, { recursive: true });
    }
  });

  it('config/argocd never sets Prune=confirm, because Prune=confirm stops all syncs of an Application', () => {
    const files = readdirSync(ARGOCD, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.yaml'));
    const texts = files.map((file) => readFileSync(join(ARGOCD, file), 'utf8').replaceAll(/#.*/g, ''));
    assert.ok(texts.length > 5, String(texts.length));
    assert.deepEqual(
      texts.filter((text) => text.includes('Prune=confirm')),
      [],
    );
  });

  it('config/argocd retries failed syncs with the newest commit, and prunes last', () => {
    for (const { spec } of [policies, { spec: teams.spec.template.spec }]) {
      assert.partialDeepStrictEqual(spec.syncPolicy.retry, { limit: -1, refresh: true });
    }
    assert.ok(policies.spec.syncPolicy.syncOptions.includes('PruneLast=true'));
  });

  it('shares no name with config/samples', () => {
    const samples = join(CONFIG, 'samples');
    const named = readdirSync(samples).flatMap((file) => loadAll(readFileSync(join(samples, file), 'utf8')) as Json[]);
    const names = named.map(({ metadata }) => metadata?.name);
    assert.ok(names.includes('restricted'));
    assert.ok(!names.includes(policy.metadata.name), policy.metadata.name);
  });

  it('config/argocd protects the samples from accidental deletion, and creates the policy before its namespace', () => {
    for (const sample of [policy, namespace]) assert.partialDeepStrictEqual(sample.metadata.annotations, GUARDED);
    assert.ok(waveOf(policy) < waveOf(namespace));
    const { name, labels } = namespace.metadata;
    assert.ok(matches(policy.spec.namespaceSelector, { ...labels, 'kubernetes.io/metadata.name': name }));
    assert.ok(!Object.keys(labels).some((label) => label.startsWith('pod-security.kubernetes.io/')));
  });

  it('config/argocd creates the operator before the policies, and the policies before their namespaces', () => {
    assert.deepEqual([operator, policies, teams].map(waveOf), [0, 1, 2]);
    for (const option of ['Prune=false', 'Delete=confirm']) {
      assert.ok(operator.spec.syncPolicy.syncOptions.includes(option));
    }
  });

  it('config/argocd puts the operator into waves for the CRD, the rights, the Deployment, and the object that is deleted first', async () => {
    const tools = await Tools.find();
    try {
      const { stdout } = await tools.run('kubectl', 'kustomize', 'config/argocd/operator');
      const objects = loadAll(stdout) as Json[];
      // Policies without an annotation are in wave 0.
      assert.ok(objects.every((object) => waveOf(object) < 0 && waveOf(object) < waveOf(policy)));
      const [waiting, ...others] = objects.filter(({ metadata }) => metadata.finalizers);
      assert.deepEqual([waiting?.metadata.finalizers, waveOf(waiting), others], [[WITHDRAWAL_FINALIZER], -1, []]);
      const rest = objects.filter((object) => object !== waiting);
      const of = (kind: string) => [...new Set(rest.filter((one) => one.kind === kind).map(waveOf))];
      assert.deepEqual(['CustomResourceDefinition', 'Namespace', 'ServiceAccount'].map(of), [[-4], [-4], [-3]]);
      assert.deepEqual(['ClusterRole', 'ClusterRoleBinding', 'Deployment'].map(of), [[-3], [-3], [-2]]);
    } finally {
      tools.end();
    }
  });

  it("names the project's version", () => {
    const { version } = JSON.parse(readFileSync(join(CONFIG, '..', 'package.json'), 'utf8'));
    assert.equal(operator.spec.source.targetRevision, `v${version}`);
    const [block] = readPage('docs/argocd.md').blocks;
    assert.ok(block?.text.includes(`?ref=v${version}\n`), block?.text);
  });
});

const configMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'argocd-cm' } };

function read(file: string): Json[] {
  return loadAll(readFileSync(join(ARGOCD, file), 'utf8')) as Json[];
}

function write(folder: string, file: string, content: object): void {
  writeFileSync(join(folder, file), JSON.stringify(content));
}

function waveOf({ metadata }: Json): number {
  return Number(metadata.annotations[WAVE]);
}
