import assert from 'node:assert/strict';
import type { ControlPlane } from '../../hack/controlplane/controlplane.ts';
import { CAPABILITIES } from '../../operator/standards/capabilities.ts';
import { sharedControlPlane } from '../support/control-plane.ts';
import { CRD_NAME, establishedOn } from '../support/established.ts';
import { kubectl } from '../support/kubectl.ts';
import { BAD_INPUT, GOOD_INPUT, policyOf } from './bad-input.ts';

describe('the CRD', () => {
  let controlPlane: ControlPlane;

  before(async () => {
    controlPlane = await sharedControlPlane();
    await kubectl(controlPlane, ['apply', '--server-side', '--force-conflicts', '-k', 'crds']);
    await establishedOn(controlPlane.kubeconfig);
  });

  describe('refuses, and says what to write instead', () => {
    const name = (row: number) => `bad-${row}`;
    let answers: ReadonlyMap<string, string>;

    before(async () => {
      const output = await dryRun(BAD_INPUT.map((input, row) => policyOf(input, name(row))));
      answers = byPolicy(output);
    });

    BAD_INPUT.forEach((input, row) => {
      it(input.title, () => {
        assert.match(answers.get(input.name ?? name(row)) ?? 'accepted', input.answer);
      });
    });
  });

  describe('accepts', () => {
    const name = (row: number) => `good-${row}`;
    let output: string;

    before(async () => {
      output = await dryRun(GOOD_INPUT.map((input, row) => policyOf(input, name(row))));
    });

    GOOD_INPUT.forEach((input, row) => {
      it(input.title, () => {
        assert.ok(output.includes(`/${input.name ?? name(row)} created (server dry run)`), output);
      });
    });

    it('each of the 41 capabilities', async () => {
      const spec = { overrides: { capabilities: { allowedAdd: CAPABILITIES, allowedBounding: CAPABILITIES } } };
      assert.match(await dryRun([policyOf({ spec }, 'all-names')]), /all-names created/);
    });

    it('the samples', async () => {
      const { stdout } = await kubectl(controlPlane, ['apply', '--dry-run=server', '-k', 'config/samples']);
      assert.deepEqual(stdout.trim().split('\n'), [
        'capabilitypolicy.capabilitypolicy.dev/audit-everything created (server dry run)',
        'capabilitypolicy.capabilitypolicy.dev/baseline-no-net-raw created (server dry run)',
        'capabilitypolicy.capabilitypolicy.dev/ping created (server dry run)',
        'capabilitypolicy.capabilitypolicy.dev/restricted created (server dry run)',
      ]);
    });
  });

  it('fills in nothing', async () => {
    const policy = policyOf({ spec: { overrides: { capabilities: {}, seccomp: {} } } }, 'defaults');
    const { stdout } = await kubectl(
      controlPlane,
      ['create', '--dry-run=server', '-o', 'json', '-f', '-'],
      JSON.stringify(policy),
    );
    assert.deepEqual(JSON.parse(stdout).spec, {
      level: 'restricted',
      namespaceSelector: {},
      overrides: { capabilities: {}, seccomp: {} },
    });
  });

  it('a policy that no operator has seen has observedGeneration -1, so that no tool counts the policy as ready', async () => {
    const policy = policyOf({}, 'unseen');
    await kubectl(controlPlane, ['create', '-f', '-'], JSON.stringify(policy));
    const { stdout } = await kubectl(controlPlane, ['get', 'cappol', 'unseen', '-o', 'json']);
    await kubectl(controlPlane, ['delete', 'cappol', 'unseen']);
    assert.deepEqual(JSON.parse(stdout).status, { observedGeneration: -1 });
  });

  it('is described by kubectl explain', async () => {
    const { stdout } = await kubectl(controlPlane, ['explain', 'cappol.spec.overrides.capabilities']);
    const text = stdout.replace(/\s+/g, ' ');
    assert.match(text, /Linux capabilities of containers: the 41 powers that root consists of/);
    assert.match(text, /allowedAdd <\[\]string> .* restricted: NET_BIND_SERVICE\./);
    assert.match(text, /requiredDrop <\[\]string> .* restricted: \[ALL\]/);
    assert.match(
      text,
      /allowedBounding <\[\]string> .* a baseline pod that says nothing about capabilities holds NET_RAW/,
    );
  });

  it('kubectl explain says why administrators may use every policy, and how to test as another user', async () => {
    const { stdout } = await kubectl(controlPlane, ['explain', 'cappol.spec.usableBy']);
    const text = stdout.replace(/\s+/g, ' ');
    assert.match(text, /Holders of wildcard verbs, such as cluster administrators, may use every policy/);
    assert.match(text, /kubectl create -f pod.yaml --as=system:serviceaccount:kube-system:replicaset-controller/);
  });

  it('describes and bounds every field', async () => {
    const { stdout } = await kubectl(controlPlane, ['get', 'customresourcedefinition', CRD_NAME, '-o', 'json']);
    const schema = JSON.parse(stdout).spec.versions[0].schema.openAPIV3Schema;
    assert.deepEqual(carelessFields(schema.properties.spec, 'spec', true), []);
    assert.deepEqual(carelessFields(schema.properties.status, 'status', true), []);
  });

  it('prints the important fields in columns', async () => {
    const policy = policyOf({ spec: { expires: '2999-12-31T00:00:00Z' } }, 'columns');
    const status = {
      columns: { ready: 'True', sharesWith: 'ping, web and 3 more' },
      effective: { mode: 'Warn', priority: 7, usableBy: 'Everyone' },
      rendered: { podSecurity: 'restricted:v1.36' },
      namespaces: { deciding: 3 },
      workloads: { violating: 2 },
    };
    // A selector that matches no namespace. The policy exists for a moment on a control plane that other tests use.
    const unselective = {
      ...policy,
      spec: { ...(policy as { spec: object }).spec, namespaceSelector: { matchLabels: { no: 'body' } } },
    };
    await kubectl(controlPlane, ['create', '-f', '-'], JSON.stringify(unselective));
    try {
      await kubectl(controlPlane, [
        'patch',
        'cappol',
        'columns',
        '--subresource=status',
        '--type=merge',
        '-p',
        JSON.stringify({ status }),
      ]);
      assert.match(
        (await kubectl(controlPlane, ['get', 'security'])).stdout,
        /columns +restricted +Warn +restricted:v1.36 +3 +2 +True +\d+s/,
      );
      const { stdout } = await kubectl(controlPlane, ['get', 'cappol', 'columns', '-o', 'wide']);
      const [header, row] = stdout.split('\n');
      assert.match(
        header ?? '',
        /^NAME +LEVEL +MODE +PSA +NAMESPACES +VIOLATING +ENFORCED +READY +AGE +PRIORITY +USED BY +EXPIRES +SHARES WITH$/,
      );
      assert.match(
        row ?? '',
        /^columns +restricted +Warn +restricted:v1.36 +3 +2 +True +\d+s +7 +Everyone +2999-12-31T00:00:00Z +ping, web and 3 more$/,
      );
    } finally {
      await kubectl(controlPlane, ['delete', 'cappol', 'columns', '--wait=false']);
    }
  });

  /**
   * Applies the policies with kubectl by dry run. Returns the output on both streams, because some policies are
   * refused.
   */
  async function dryRun(policies: readonly object[]): Promise<string> {
    const documents = policies.map((policy) => JSON.stringify(policy)).join('\n---\n');
    const { stdout, stderr } = await kubectl(
      controlPlane,
      ['apply', '--dry-run=server', '-f', '-'],
      documents,
      'may fail',
    );
    return stdout + stderr;
  }
});

/** Maps the name of each refused policy to kubectl's refusal. The refusal is one line of the output. */
function byPolicy(output: string): ReadonlyMap<string, string> {
  const refusals = output.matchAll(/^.*CapabilityPolicy\S* "([^"]+)" is invalid: .*$/gm);
  return new Map([...refusals].map(([line, name]) => [name ?? '', line]));
}

interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly enum?: readonly string[];
  readonly maxItems?: number;
  readonly maxLength?: number;
  readonly maxProperties?: number;
  readonly format?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly additionalProperties?: Schema;
}

/** The fields of the schema without a description or without an upper bound. */
function carelessFields(schema: Schema, path: string, described: boolean): string[] {
  const faults = [
    ...(described && !schema.description ? ['no description'] : []),
    ...(schema.type === 'array' && schema.maxItems === undefined ? ['no maxItems'] : []),
    ...(schema.additionalProperties && schema.maxProperties === undefined ? ['no maxProperties'] : []),
    ...(schema.type === 'string' && !(schema.enum || schema.format || schema.maxLength) ? ['no maxLength'] : []),
  ];
  return [
    ...faults.map((fault) => `${path}: ${fault}`),
    ...Object.entries(schema.properties ?? {}).flatMap(([key, field]) => carelessFields(field, `${path}.${key}`, true)),
    ...(schema.items ? carelessFields(schema.items, `${path}[]`, schema.items.type === 'object') : []),
    ...(schema.additionalProperties ? carelessFields(schema.additionalProperties, `${path}{}`, false) : []),
  ];
}
