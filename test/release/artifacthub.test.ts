/** Tests the chart's metadata for Artifact Hub: https://artifacthub.io/docs/topics/annotations/helm/ */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { PolicyContextBuilder } from '../../analysis/policies/context-builder.ts';
import { deployment } from '../support/deployment.ts';
import { ROOT } from '../support/page.ts';

interface Chart {
  readonly version: string;
  readonly annotations: Readonly<Record<string, string>>;
}

interface Crd {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly names: { readonly kind: string }; readonly versions: readonly { readonly name: string }[] };
}

const KINDS = ['added', 'changed', 'deprecated', 'removed', 'fixed', 'security'];
const RANGE = { line: 1, column: 1, endColumn: 1 };

describe('the metadata for Artifact Hub', () => {
  const chart = load(readFileSync(join(ROOT, 'config/helm/capabilitypolicy/Chart.yaml'), 'utf8')) as Chart;
  const annotation = <Value>(name: string) => load(chart.annotations[`artifacthub.io/${name}`] ?? '') as Value;

  it('the metadata names the image of the Deployment, with the version of the chart', () => {
    const image = `${deployment().spec.template.spec.containers[0]?.image}:v${chart.version}`;
    assert.deepEqual(
      annotation<{ image: string }[]>('images').map((one) => one.image),
      [image],
    );
  });

  it('names the CRD as it is', () => {
    const crd = load(readFileSync(join(ROOT, 'crds/capabilitypolicies.yaml'), 'utf8')) as Crd;
    const [{ kind, version, name } = { kind: '', version: '', name: '' }] =
      annotation<{ kind: string; version: string; name: string }[]>('crds');
    assert.deepEqual(
      { kind, version, name },
      { kind: crd.spec.names.kind, version: crd.spec.versions[0]?.name, name: crd.metadata.name },
    );
  });

  it('the metadata lists the changes of the version, and Artifact Hub knows the kind of each change', () => {
    const changes = annotation<{ kind: string; description: string }[]>('changes');
    assert.ok(changes.length > 0);
    for (const { kind, description } of changes) {
      assert.ok(KINDS.includes(kind), kind);
      assert.notEqual(description.trim(), '');
    }
  });

  it('has an example that is a valid policy', () => {
    const [object] = annotation<{ apiVersion: string; kind: string }[]>('crdsExamples');
    assert.ok(object);
    const troubles: unknown[] = [];
    const manifest = {
      object,
      path: [],
      file: 'Chart.yaml',
      line: 1,
      lineOf: () => 1,
      rangeOf: () => RANGE,
      textOf: () => undefined,
    };
    new PolicyContextBuilder().addManifest(manifest, (trouble) => troubles.push(trouble));
    assert.deepEqual(troubles, []);
  });
});
