/**
 * Tests the removal of a field from a policy. A removed field falls back to its default, independent of the tool that
 * removes the field.
 *
 * The CRD therefore has no default for a field of spec. With a default, the API server would fill in a value without a
 * field manager. The server-side diff of Argo CD ignores a value without a field manager
 * (docs/decisions/0021-no-openapi-defaults.md).
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { load } from 'js-yaml';
import type { ControlPlane } from '../../hack/controlplane/controlplane.ts';
import { completeSpec } from '../../operator/api/defaults.ts';
import { SPEC_DEFAULTS } from '../../operator/api/spec-defaults.ts';
import type { RawObject } from '../../operator/model/raw.ts';
import { createProjection } from '../../operator/projection/projection.ts';
import { RULES } from '../../operator/rules/index.ts';
import { sharedControlPlane } from '../support/control-plane.ts';
import { establishedOn } from '../support/established.ts';
import { kubectl } from '../support/kubectl.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const CRD_FILE = `${ROOT}/crds/capabilitypolicies.yaml`;
/** A selector that matches no namespace. The policies exist for a moment on a control plane that other tests use. */
const MINIMAL = { namespaceSelector: { matchLabels: { no: 'body' } }, level: 'restricted' };

interface Field {
  readonly name: keyof typeof SPEC_DEFAULTS;
  readonly stated: unknown;
  /** Other fields that must be set together with the field `name`. */
  readonly beside?: Readonly<Record<string, unknown>>;
}

const FIELDS: readonly Field[] = [
  { name: 'levelVersion', stated: 'v1.30' },
  { name: 'mode', stated: 'Enforce' },
  { name: 'priority', stated: 10 },
  { name: 'usableBy', stated: 'Bindings' },
  { name: 'defaulting', stated: 'Enabled', beside: { mode: 'Enforce' } },
  { name: 'podSecurityLabels', stated: 'Off' },
];

/** The arguments of kubectl, and the policies in the input of kubectl. */
type Step = readonly [args: readonly string[], policies?: readonly object[]];

interface Removal {
  readonly name: string;
  readonly before: object;
  readonly after: object;
}

type Act = (removals: readonly Removal[]) => Step[];

const apply =
  (of: 'before' | 'after', ...options: readonly string[]): Act =>
  (removals) => [[['apply', ...options], removals.map((one) => policy(one.name, one[of]))]];
const SERVER_SIDE = ['--server-side', '--force-conflicts'];

/** The steps that set a field, and the steps that remove the field again. */
const WAYS: Readonly<Record<string, readonly [Act, ...Act[]]>> = {
  'server-side apply': [apply('before', ...SERVER_SIDE), apply('after', ...SERVER_SIDE)],
  'client-side apply': [apply('before'), apply('after')],
  'server-side apply after client-side apply': [
    apply('before'),
    apply('before', ...SERVER_SIDE),
    apply('after', ...SERVER_SIDE),
  ],
  replace: [apply('before'), (removals) => [[['replace'], removals.map(({ name, after }) => policy(name, after))]]],
  'a null in the manifest': [
    apply('before'),
    (removals) => [[['replace'], removals.map((one) => policy(one.name, withNulls(one)))]],
  ],
  'a merge patch': [
    apply('before', ...SERVER_SIDE),
    (removals) =>
      removals.map((one) => [
        ['patch', 'cappol', one.name, '--type=merge', '-p', JSON.stringify({ spec: withNulls(one) })],
      ]),
  ],
};

describe('the defaults of a policy', () => {
  let controlPlane: ControlPlane;
  const { spec: crd } = load(readFileSync(CRD_FILE, 'utf8')) as { spec: CrdSpec };

  before(async () => {
    controlPlane = await sharedControlPlane();
    await output(['apply', '--server-side', '--force-conflicts', '-k', 'crds']);
    await establishedOn(controlPlane.kubeconfig);
  });

  it('the schema of spec has no defaults, because no field manager would own the filled-in values', () => {
    assert.deepEqual(defaulted(crd.versions[0].schema.openAPIV3Schema.properties?.spec ?? {}, 'spec'), []);
  });

  it('are all tested here', () => {
    assert.deepEqual(FIELDS.map(({ name }) => name).sort(), Object.keys(SPEC_DEFAULTS).sort());
  });

  it('are in the description of each field', () => {
    const { properties = {} } = crd.versions[0].schema.openAPIV3Schema.properties?.spec ?? {};
    const silent = Object.entries(SPEC_DEFAULTS).filter(
      ([name, value]) => !properties[name]?.description?.replace(/\s+/g, ' ').includes(`Left out: ${value}.`),
    );
    assert.deepEqual(silent, []);
  });

  it('the API server accepts a policy that states all defaults, and the stated defaults do not change the meaning', async () => {
    await run([[['apply'], [policy('spelled-out', { ...MINIMAL, ...SPEC_DEFAULTS })]]]);
    assert.deepEqual(await effective('spelled-out'), completeSpec(MINIMAL as never));
  });

  for (const [index, [way, [set, ...remove]]] of Object.entries(WAYS).entries()) {
    it(`are restored by ${way}`, async () => {
      const removals = FIELDS.map(({ name, stated, beside = {} }) => ({
        name: `removed-${name}-${index}`.toLowerCase(),
        before: { ...MINIMAL, ...beside, [name]: stated },
        after: { ...MINIMAL, ...beside },
      }));
      const values = () =>
        Promise.all(FIELDS.map(async ({ name }, i) => (await effective(removals[i]?.name ?? ''))[name]));
      await run(set(removals));
      assert.deepEqual(
        await values(),
        FIELDS.map(({ stated }) => stated),
      );
      for (const act of remove) await run(act(removals));
      assert.deepEqual(
        await values(),
        FIELDS.map(({ name }) => SPEC_DEFAULTS[name]),
      );
    });
  }

  it('a policy has no value without a field manager, because Argo CD ignores such values', async () => {
    const fields = Object.assign({}, ...FIELDS.map(({ name, stated }) => ({ [name]: stated })));
    await run([[['apply', '--server-side'], [policy('owned', { ...MINIMAL, ...fields })]]]);
    const dryRun = ['apply', '--server-side', '--dry-run=server', '--show-managed-fields', '-o', 'json'];
    const { spec, metadata } = JSON.parse(await output([...dryRun, '-f', '-'], policy('owned', MINIMAL)));
    const [{ fieldsV1 }] = metadata.managedFields;
    assert.deepEqual(
      Object.keys(spec).filter((field) => !(`f:${field}` in fieldsV1['f:spec'])),
      [],
    );
  });

  it('policies that were stored when the CRD had defaults have the same meaning', async () => {
    const before = structuredClone(crd);
    const { properties = {} } = before.versions[0].schema.openAPIV3Schema.properties?.spec ?? {};
    for (const [name, value] of Object.entries(SPEC_DEFAULTS))
      Object.assign(properties[name] ?? {}, { default: value });
    await establish(before);
    await output(['apply', '-f', '-'], policy('old', MINIMAL, OLDER));
    const stored = JSON.parse(await output(['get', `policies.${OLDER}`, 'old', '-o', 'json']));
    assert.deepEqual(stored.spec, { ...MINIMAL, ...SPEC_DEFAULTS });
    await establish(crd);
    const kept = JSON.parse(await output(['get', `policies.${OLDER}`, 'old', '-o', 'json']));
    assert.deepEqual(kept.spec, stored.spec);
    await output(['apply', '-f', '-'], policy('old', { ...MINIMAL, mode: 'Enforce' }, OLDER));
    await output(['apply', '-f', '-'], policy('old', MINIMAL, OLDER));
    const removed = JSON.parse(await output(['get', `policies.${OLDER}`, 'old', '-o', 'json']));
    assert.deepEqual(projected(removed), completeSpec(MINIMAL as never));
  });

  after(async () => {
    await output(['delete', 'crd', `policies.${OLDER}`, '--ignore-not-found', '--wait=false']);
    await output(['delete', 'cappol', '-l', 'test=defaults', '--wait=false']);
  });

  async function run(steps: readonly Step[]): Promise<void> {
    await Promise.all(
      steps.map(([args, items]) => (items ? output([...args, '-f', '-'], listOf(items)) : output(args))),
    );
  }

  /** The complete spec, in the form that all code after the projection reads. */
  async function effective(name: string): Promise<Readonly<Record<string, unknown>>> {
    return projected(JSON.parse(await output(['get', 'cappol', name, '-o', 'json'])));
  }

  /** Creates or changes a CRD of another group with the given schema. */
  async function establish(spec: CrdSpec): Promise<void> {
    const names = {
      plural: 'policies',
      singular: 'policy',
      kind: 'CapabilityPolicy',
      listKind: 'CapabilityPolicyList',
    };
    const metadata = { name: `policies.${OLDER}` };
    const object = {
      ...(load(readFileSync(CRD_FILE, 'utf8')) as object),
      metadata,
      spec: { ...spec, group: OLDER, names },
    };
    await output(['apply', '--server-side', '--force-conflicts', '-f', '-'], object);
    await establishedOn(controlPlane.kubeconfig, `policies.${OLDER}`);
  }

  /** The standard output of kubectl. The input is written as JSON. */
  async function output(args: readonly string[], input?: object): Promise<string> {
    return (await kubectl(controlPlane, args, input && JSON.stringify(input))).stdout;
  }
});

const OLDER = 'older.capabilitypolicy.dev';

interface CrdSpec {
  readonly versions: readonly [{ readonly schema: { readonly openAPIV3Schema: Schema } }];
}

interface Schema {
  readonly default?: unknown;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
}

/** The paths of the fields that the API server fills in. */
function defaulted(schema: Schema, path: string): string[] {
  return [
    ...(schema.default === undefined ? [] : [path]),
    ...Object.entries(schema.properties ?? {}).flatMap(([key, field]) => defaulted(field, `${path}.${key}`)),
    ...(schema.items ? defaulted(schema.items, `${path}[]`) : []),
  ];
}

function projected(object: RawObject): Readonly<Record<string, unknown>> {
  return createProjection(RULES).policy(object).spec as unknown as Readonly<Record<string, unknown>>;
}

function policy(name: string, spec: object, group = 'capabilitypolicy.dev'): object {
  const metadata = { name, labels: { test: 'defaults' } };
  return { apiVersion: `${group}/v1alpha1`, kind: 'CapabilityPolicy', metadata, spec };
}

function listOf(items: readonly object[]): object {
  return { apiVersion: 'v1', kind: 'List', items };
}

function withNulls({ before, after }: Removal): object {
  return { ...Object.fromEntries(Object.keys(before).map((key) => [key, null])), ...after };
}
