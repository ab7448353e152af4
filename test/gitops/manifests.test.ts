/** config/argocd: what its parts promise each other. That Argo CD's own definitions take them is for test/integration/argocd.test.ts. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { load, loadAll } from 'js-yaml';
import { FIELD_MANAGER } from '../../operator/api/capability-policy.ts';
import { matches } from '../../operator/policy/selector.ts';
import { readPage } from '../docs/page.ts';
import { CONFIG } from '../install/rights.ts';
import { Tools } from '../install/tools.ts';
import type { Json } from '../integration/api.ts';
import { CUSTOMIZATION } from './health.ts';

const ARGOCD = join(CONFIG, 'argocd');
const WAVE = 'argocd.argoproj.io/sync-wave';
const GUARDED = { 'argocd.argoproj.io/sync-options': 'Prune=confirm,Delete=confirm' };

describe('config/argocd', () => {
  const [policy, namespace] = ['policy', 'namespace'].map((name) => read(`samples/${name}.yaml`)[0]);
  const [operator, policies] = read('application.yaml');
  const [teams] = read('applicationset.yaml');

  it('adds to argocd-cm how a policy is and whose labels are whose, and leaves alone what is there', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'capabilitypolicy-argocd-'));
    const tools = await Tools.find();
    try {
      // kustomize takes only relative paths.
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
          'resource.customizations.ignoreDifferences.Namespace': readFileSync(
            join(ARGOCD, 'ignore_differences_namespace.yaml'),
            'utf8',
          ),
        },
      });
    } finally {
      tools.end();
      rmSync(folder, { recursive: true });
    }
  });

  it('ignores differences by the field manager that the operator has, for Argo CD as a whole and in the example', () => {
    const [whole] = read('ignore_differences_namespace.yaml');
    const own = { managedFieldsManagers: [FIELD_MANAGER] };
    assert.deepEqual(whole, own);
    assert.deepEqual(teams.spec.template.spec.ignoreDifferences, [{ group: '', kind: 'Namespace', ...own }]);
    assert.ok(teams.spec.template.spec.syncPolicy.syncOptions.includes('RespectIgnoreDifferences=true'));
  });

  it('has samples that are not deleted by mistake, the namespace after the policy that selects it', () => {
    for (const sample of [policy, namespace]) assert.partialDeepStrictEqual(sample.metadata.annotations, GUARDED);
    assert.ok(waveOf(policy) < waveOf(namespace));
    const { name, labels } = namespace.metadata;
    assert.ok(matches(policy.spec.namespaceSelector, { ...labels, 'kubernetes.io/metadata.name': name }));
    assert.ok(!Object.keys(labels).some((label) => label.startsWith('pod-security.kubernetes.io/')));
  });

  it('has the operator before the policies, and the policies before what they are for', () => {
    assert.deepEqual([operator, policies, teams].map(waveOf), [0, 1, 2]);
    for (const option of ['Prune=confirm', 'Delete=confirm']) {
      assert.ok(operator.spec.syncPolicy.syncOptions.includes(option));
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
