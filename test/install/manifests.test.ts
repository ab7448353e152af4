/** Checks the output of kustomize and Helm, and the consistency of config/, without a cluster. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { load, loadAll } from 'js-yaml';
import { generatedFiles } from '../../config/helm/generate.ts';
import { NODE_FLAGS } from '../../hack/bench/operator-under-test.ts';
import { Tools } from '../../hack/tools.ts';
import type { Identified } from '../../operator/cluster/client.ts';
import { HELP, parseFlags } from '../../operator/flags.ts';
import { type Deployment, deployment, flagsOf, nodeFlags } from '../support/deployment.ts';
import { CONFIG, OPERATOR_NAMESPACE, rbacObjects } from '../support/rights.ts';

type Manifest = Identified & { readonly metadata: { readonly annotations?: Readonly<Record<string, string>> } };

const CHART = join(CONFIG, 'helm', 'capabilitypolicy');
const PEOPLE = ['capabilitypolicy-viewer', 'capabilitypolicy-editor', 'capabilitypolicy-policyreport-viewer'];
const AGGREGATES = /^rbac\.authorization\.k8s\.io\/aggregate-to-/;
/** Flags that have no value in the chart, because the Deployment sets them by other means. */
const NO_VALUES = ['kubeconfig', 'operator-namespace', 'help'];

/** A non-default value for each required flag. */
const EVERY_FLAG: Readonly<Record<string, string | number | boolean>> = {
  'excluded-namespaces': 'kube-*,ours',
  'psa-defaults': 'enforce=baseline:v1.30',
  'kube-api-qps': 7,
  'kube-api-burst': 9,
  'leader-elect': true,
  'leader-elect-lease-duration': '30s',
  'leader-elect-renew-deadline': '20s',
  'leader-elect-retry-period': '3s',
  'health-probe-bind-address': ':9081',
  'metrics-bind-address': '[::]:9080',
  'metrics-secure': true,
  'metrics-cert-path': '/certificate',
  'log-level': 'debug',
  'log-format': 'console',
};

describe('the manifests', function () {
  this.timeout(300_000);
  let tools: Tools;
  let kustomized: Manifest[];

  before(async () => {
    tools = await Tools.withHelm();
    kustomized = parse((await tools.run('kubectl', 'kustomize', 'config/default')).stdout);
  });

  after(() => tools.end());

  async function template(values: object = {}): Promise<Manifest[]> {
    const set = Object.entries(values).flatMap(([key, value]) => ['--set-json', `${key}=${JSON.stringify(value)}`]);
    const release = ['capabilitypolicy', CHART, '--namespace', OPERATOR_NAMESPACE, '--kube-version', '1.36.0'];
    return parse((await tools.run('helm', 'template', ...release, ...set)).stdout);
  }

  it('config/try has the same objects as the default manifests, apart from the objects that run the operator in the cluster', async () => {
    const found = parse((await tools.run('kubectl', 'kustomize', 'config/try')).stdout);
    const inCluster = ['Deployment', 'PodDisruptionBudget', 'Service', 'NetworkPolicy'];
    assert.deepEqual(
      found,
      kustomized.filter(({ kind }) => !inCluster.includes(kind)),
    );
  });

  describe('of the chart', () => {
    it('with default values, the chart and kustomize give the same objects, apart from the namespace that helm expects and the annotation that keeps the CRD', async () => {
      const [found, wanted] = [await template(), kustomized.filter(({ kind }) => kind !== 'Namespace')];
      assert.deepEqual(found.map(keyOf).sort(), wanted.map(keyOf).sort());
      for (const object of found) {
        assert.deepEqual(
          withoutKeep(object),
          wanted.find((one) => keyOf(one) === keyOf(object)),
          keyOf(object),
        );
      }
    });

    it('have the namespace, too, on request', async () => {
      const found = (await template({ 'namespace.create': true })).find(({ kind }) => kind === 'Namespace');
      assert.deepEqual(
        found,
        kustomized.find(({ kind }) => kind === 'Namespace'),
      );
    });

    it('keep the CRD on uninstall', async () => {
      const crd = (await template()).find(({ kind }) => kind === 'CustomResourceDefinition');
      assert.equal(crd?.metadata.annotations?.['helm.sh/resource-policy'], 'keep');
    });

    it('have a value for every flag', async () => {
      const flags = [...HELP.matchAll(/--([a-z][a-z-]+)/g)].map(([, name = '']) => name);
      const wanted = [...new Set(flags)].filter((name) => !NO_VALUES.includes(name)).sort();
      const values = load(readFileSync(join(CHART, 'values.yaml'), 'utf8')) as { flags: object };
      assert.deepEqual(Object.keys(values.flags).sort(), wanted);
      assert.deepEqual(Object.keys(EVERY_FLAG).sort(), wanted);
    });

    it('the chart passes every flag to the operator in the form that the operator parses', async () => {
      const found = await operatorOf({ flags: EVERY_FLAG });
      const stated = Object.entries(EVERY_FLAG).map(([name, value]) =>
        value === true ? `--${name}` : `--${name}=${value}`,
      );
      assert.deepEqual(parseFlags(flagsOf(found)), parseFlags(stated));
      assert.deepEqual(
        found.spec.template.spec.containers[0]?.ports?.map(({ containerPort }) => containerPort),
        [9080, 9081],
      );
    });

    it('the chart serves neither metrics nor health if both are turned off', async () => {
      const values = {
        flags: { 'metrics-bind-address': '0', 'health-probe-bind-address': 0, 'metrics-secure': false },
      };
      const found = await template(values);
      const [container] = (found.find(isDeployment) as Deployment | undefined)?.spec.template.spec.containers ?? [];
      assert.equal(container?.ports, undefined);
      assert.equal(container?.readinessProbe, undefined);
      const names = found.map(({ metadata }) => metadata.name);
      assert.ok(!names.includes('capabilitypolicy-metrics') && !names.includes('capabilitypolicy-metrics-auth'));
    });

    const refused: [title: string, values: object, says: RegExp][] = [
      ['an unknown flag', { flags: { 'leader-elected': true } }, /leader-elected/],
      ['a flag of another type', { flags: { 'kube-api-qps': 'many' } }, /kube-api-qps/],
      ['a duration without a unit', { flags: { 'leader-elect-lease-duration': '15' } }, /lease-duration/],
      ['an unknown value', { image: { name: 'operator' } }, /name/],
      [
        'several replicas that all write',
        { flags: { 'leader-elect': false } },
        /several replicas need flags\.leader-elect/,
      ],
    ];
    for (const [title, values, says] of refused) {
      it(`refuse ${title}`, () => assert.rejects(template(values), says));
    }

    it('pass helm lint', async () => {
      const { stdout } = await tools.run('helm', 'lint', '--strict', '--kube-version', '1.36.0', CHART);
      assert.doesNotMatch(stdout, /\[(WARNING|ERROR)\]/);
    });

    it('the chart equals the output of `npm run generate` from config/ and crds/', () => {
      for (const [path, text] of generatedFiles()) assert.equal(readFileSync(join(CHART, path), 'utf8'), text, path);
    });

    it("the chart and the image of kustomize have the project's version", () => {
      const { version } = JSON.parse(readFileSync(join(CONFIG, '..', 'package.json'), 'utf8'));
      const chart = load(readFileSync(join(CHART, 'Chart.yaml'), 'utf8')) as { version: string; appVersion: string };
      assert.deepEqual([chart.version, chart.appVersion], [version, version]);
      const [container] =
        (kustomized.find(isDeployment) as Deployment | undefined)?.spec.template.spec.containers ?? [];
      assert.equal(container?.image, `ghcr.io/capabilitypolicy/operator:v${version}`);
    });
  });

  it('start Node as the benchmarks do', () => {
    assert.deepEqual(nodeFlags(deployment()), NODE_FLAGS);
  });

  describe('give people', () => {
    const role = (name: string) =>
      rbacObjects().find(({ kind, metadata }) => kind === 'ClusterRole' && metadata.name === name);

    for (const name of PEOPLE) {
      it(`no wildcard and no power over policies: ${name}`, () => {
        const words = (role(name)?.rules ?? []).flatMap(({ verbs, apiGroups = [], resources = [] }) => [
          ...[verbs, apiGroups, resources].flat(),
        ]);
        assert.ok(words.length > 0);
        for (const never of ['*', 'use', 'exempt', 'bind', 'escalate']) assert.ok(!words.includes(never), never);
      });
    }

    it('only the rights to view policies and reports are aggregated, and only to the ClusterRole view', () => {
      const aggregated = rbacObjects().flatMap(({ metadata }) =>
        Object.keys(metadata.labels ?? {})
          .filter((label) => AGGREGATES.test(label))
          .map((label) => `${metadata.name} ${label.replace(AGGREGATES, '')}`),
      );
      assert.deepEqual(aggregated, ['capabilitypolicy-viewer view', 'capabilitypolicy-policyreport-viewer view']);
      for (const viewer of ['capabilitypolicy-viewer', 'capabilitypolicy-policyreport-viewer']) {
        for (const { verbs } of role(viewer)?.rules ?? []) assert.deepEqual(verbs, ['get', 'list', 'watch']);
      }
    });
  });

  async function operatorOf(values: object): Promise<Deployment> {
    const found = (await template(values)).find(isDeployment);
    assert.ok(found);
    return found as unknown as Deployment;
  }
});

function parse(yaml: string): Manifest[] {
  return (loadAll(yaml) as (Manifest | null)[]).filter((object) => object !== null);
}

function keyOf({ kind, metadata: { namespace = '', name } }: Identified): string {
  return `${kind} ${namespace}/${name}`;
}

function isDeployment({ kind }: Identified): boolean {
  return kind === 'Deployment';
}

function withoutKeep<Object extends Manifest>(object: Object): Object {
  const { annotations, ...metadata } = object.metadata;
  const { 'helm.sh/resource-policy': _, ...rest } = annotations ?? {};
  return { ...object, metadata: { ...metadata, ...(Object.keys(rest).length > 0 && { annotations: rest }) } };
}
