/**
 * Tests each CEL function that the rules may call, on random text. The operator's engine and the API server must give
 * equal results. For characters beyond ASCII, the engines could differ. The operator's engine, cel-js, counts UTF-16
 * units and handles all letters of Unicode. The API server's engine, cel-go, counts code points and handles only the
 * letters of ASCII.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Api } from '../../hack/controlplane/api.ts';
import { waitFor } from '../../hack/controlplane/wait.ts';
import { CelEngine } from '../../operator/evaluate/cel.ts';
import { sharedControlPlane } from '../support/control-plane.ts';
import { SEED } from '../support/seed.ts';
import { CEL_FUNCTIONS } from './cel-functions.ts';

const REGISTRATION = '/apis/admissionregistration.k8s.io/v1';
const NAME = 'cel-functions';
const NAMESPACE = 'cel-functions';
const CONFIG_MAPS = `/api/v1/namespaces/${NAMESPACE}/configmaps`;
const CASES = 100;
const BATCHES = Number(process.env.CEL_BATCHES ?? 5);

/**
 * Characters that engines may treat differently. The upper-case or lower-case form of some letters is ASCII, or is
 * longer than the letter. The list also has combining marks, and characters above U+FFFF. Some characters have one
 * order in UTF-16 and another order by code points.
 */
const LETTERS = [
  ...'aAzZ_09 /.,-ſıİKÅßŉǰﬁﬆéÉñ\u0301\u0308\u200d\ufeff\u0085\u00a0\u2028日本𝔘😀👩🏽\ue000\uffff\u{10ffff}',
];
const LETTER = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...LETTERS) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }) },
);
const TEXT = fc.array(LETTER, { maxLength: 12 }).map((letters) => letters.join('').toWellFormed().replaceAll('\0', ''));

/**
 * Random arguments for the functions: two strings, and a range of the first string. In some cases, the second string is
 * the text of the range.
 */
const CASE = fc.tuple(TEXT, TEXT, fc.nat(), fc.nat(), fc.boolean()).map(([s, other, a, b, within]) => {
  const points = [...s];
  const [from, to] = [a % (points.length + 1), b % (points.length + 1)].sort((x, y) => x - y) as [number, number];
  return { s, t: within ? points.slice(from, to).join('') : other, from, to };
});

describe('functions of CEL', function () {
  this.timeout(300_000);
  let api: Api;

  before(async () => {
    api = new Api((await sharedControlPlane()).kubeconfig);
    await api.apply(`/api/v1/namespaces/${NAMESPACE}`, {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: NAMESPACE },
    });
    for (const [kind, spec] of Object.entries(policyObjects())) {
      const plural =
        kind === 'ValidatingAdmissionPolicy' ? 'validatingadmissionpolicies' : 'validatingadmissionpolicybindings';
      const body = { apiVersion: 'admissionregistration.k8s.io/v1', kind, metadata: { name: NAME }, spec };
      await api.apply(`${REGISTRATION}/${plural}/${NAME}`, body);
    }
    await waitFor('the admission policy to be in force', async () => (await differing([])).includes('differs:'));
  });

  after(async () => {
    await api.remove(`${REGISTRATION}/validatingadmissionpolicybindings/${NAME}`);
    await api.remove(`${REGISTRATION}/validatingadmissionpolicies/${NAME}`);
    await api.remove(`/api/v1/namespaces/${NAMESPACE}`);
    await api.close();
  });

  it(`give the operator the API server's results on ${CASES * BATCHES} random texts`, async () => {
    const cases = fc.sample(CASE, { numRuns: CASES * BATCHES, seed: SEED });
    for (let batch = 0; batch < BATCHES; batch++) {
      const some = cases.slice(batch * CASES, (batch + 1) * CASES);
      const answer = await differing(some);
      const [, found] = /differs: \[(.*)\]/.exec(answer) ?? [];
      const rows = (found ?? '')
        .split(' ')
        .filter((row) => row !== '')
        .map((row) => {
          const [name = '', index] = row.split(':');
          return `${name} of ${JSON.stringify(some[Number(index)])}: ${results(some[Number(index)] as Case)[name]}`;
        });
      assert.equal(rows.length > 0 ? rows.slice(0, 30).join('\n') : found, '', `seed ${SEED}: ${answer}`);
    }
  });

  async function differing(cases: readonly Case[]): Promise<string> {
    const data = Object.fromEntries(
      cases.flatMap((one, i) => [
        ...Object.entries(one).map(([key, value]) => [`${i}.${key}`, String(value)]),
        ...Object.entries(results(one)).map(([key, value]) => [`${i}.${key}`, value]),
      ]),
    );
    const body = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'cases' },
      data: { ...data, count: String(cases.length) },
    };
    const answer = await api.ask('POST', CONFIG_MAPS, { body, query: { dryRun: 'All' } });
    return answer.body.message ?? '';
  }
});

type Case = typeof CASE extends fc.Arbitrary<infer One> ? One : never;

const engine = new CelEngine();

function results({ s, t, from, to }: Case): Record<string, string> {
  const context = { s, t, from: BigInt(from), to: BigInt(to) };
  return Object.fromEntries(
    Object.entries(CEL_FUNCTIONS).map(([name, text]) => [name, String(engine.run(text, context))]),
  );
}

/**
 * Admission policies that refuse each ConfigMap of the namespace. The message names the function and the case of each
 * result that differs from the expected result.
 */
function policyObjects() {
  const cases = `[${Array.from({ length: CASES }, (_, i) => `"${i}"`).join(', ')}].filter(i, int(i) < int(object.data.count))`;
  const different = Object.entries(CEL_FUNCTIONS).map(([name, text]) => {
    const onServer = text
      .replace(/\b(s|t)\b(?=[\s.,)\]]|$)/g, 'object.data[i + ".$1"]')
      .replace(/\b(from|to)\b/g, 'int(object.data[i + ".$1"])');
    return `variables.cases.filter(i, string(${onServer}) != object.data[i + ".${name}"]).map(i, "${name}:" + i)`;
  });
  const variables = [
    { name: 'cases', expression: cases },
    ...different.map((expression, i) => ({ name: `f${i}`, expression })),
  ];
  const all = different.map((_, i) => `variables.f${i}`).join(' + ');
  const rules = [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] }];
  return {
    ValidatingAdmissionPolicy: {
      failurePolicy: 'Fail',
      matchConstraints: { resourceRules: rules },
      variables,
      validations: [{ expression: 'false', messageExpression: `"differs: [" + (${all}).join(" ") + "]"` }],
    },
    ValidatingAdmissionPolicyBinding: {
      policyName: NAME,
      validationActions: ['Deny'],
      matchResources: { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': NAMESPACE } } },
    },
  };
}
