/**
 * Tests that a real API server compiles the printed text of random conditions, also after folding and sharing, and that
 * the API server's results are the engine's results.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { CelEngine } from '../../../engine/cel/engine.ts';
import { type Expression, identifier, select } from '../../../engine/cel/expression.ts';
import { fold } from '../../../engine/cel/fold.ts';
import { parse } from '../../../engine/cel/parse.ts';
import { print } from '../../../engine/cel/print.ts';
import { boundByMacros, share } from '../../../engine/cel/share.ts';
import { substitute } from '../../../engine/cel/substitute.ts';
import { Api } from '../../../hack/controlplane/api.ts';
import { waitFor } from '../../../hack/controlplane/wait.ts';
import { sharedControlPlane } from '../../support/control-plane.ts';
import { SEED } from '../../support/seed.ts';
import { CONDITION, CONTEXT, type Context, DECLARATIONS, literalOf } from './random-expressions.ts';

const REGISTRATION = '/apis/admissionregistration.k8s.io/v1';
const NAME = 'engine-cel';
const CONFIG_MAPS = `/api/v1/namespaces/${NAME}/configmaps`;
const POLICY = `${REGISTRATION}/validatingadmissionpolicies/${NAME}`;
const BINDING = `${REGISTRATION}/validatingadmissionpolicybindings/${NAME}`;
/** Each condition is evaluated with each context: a request each. */
const CONDITIONS = Number(process.env.CEL_CONDITIONS ?? 60);
const CONTEXTS = 3;
const AT_ONCE = 8;

/** Hand-written conditions, of which some fail. The operators have equal ranks, or the text is beyond ASCII. */
const WRITTEN = [
  'n - (n - 1) == 1',
  '(n - n) - 1 == -1',
  '(b == true) == (b != false)',
  '7 / (n / 2) * 2 % 3 == 0',
  '-(b ? n : 2) == -n',
  '!(!b)',
  '-9223372036854775808 + 1 < -(-5)',
  '"\\u0000\\u200b\\\\\\"😀é".size() == 7 && s + t == t + s',
  '1e+300 > 5e-324 && -0.0 == 0.0',
  'b"\\xff\\n\\"a" == b"\\377\\012\\x22a"',
  'xs.exists_one(x, x == s) || ns[n] == 2',
  'sets.contains(xs, [s]) && sets.equivalent(xs, xs + xs)',
  'c.?g.?g.orValue(["a"]).all(x, x in xs) && !has(c.g.f)',
  'ns[n + 1000] == 0',
  '1 / (n - n) == 1',
  'm["no such key"] == s',
  'c.missing == b',
  '[2, 0][n + 1000] in []',
  '[2, 0][n + 1000] in ns.filter(x, false)',
  '[[]].all(x, [2, 0][n + 1000] in x)',
  '(n > -9 ? 9223372036854775807 : 0) + 9 > n',
];

/** The names of the conditions are variables of the admission policy. */
const VARIABLES = new Map(Object.keys(DECLARATIONS).map((name) => [name, select(identifier('variables'), name)]));

describe('expressions on an API server', function () {
  this.timeout(300_000);
  const engine = new CelEngine();
  let api: Api;

  before(async () => {
    api = new Api((await sharedControlPlane()).kubeconfig);
    const metadata = { name: NAME };
    await api.apply(`/api/v1/namespaces/${NAME}`, { apiVersion: 'v1', kind: 'Namespace', metadata });
  });

  after(async () => {
    await api.remove(BINDING);
    await api.remove(POLICY);
    await api.remove(`/api/v1/namespaces/${NAME}`);
    await api.close();
  });

  it(`have the engine's results, for ${CONDITIONS} random conditions, before and after folding and sharing`, async () => {
    const random = fc.sample(CONDITION, { numRuns: CONDITIONS, seed: SEED });
    const conditions = [...WRITTEN.map(parse), ...random].flatMap((one) => [one, fold(one)]);
    const shared = share(random, { least: 12 });
    const contexts = fc.sample(CONTEXT, { numRuns: CONTEXTS, seed: SEED });
    await enforce([...conditions, ...shared.expressions], contexts, shared.variables);

    const cases = [...conditions, ...shared.expressions].flatMap((condition, at) =>
      contexts.map((context, of) => ({
        condition: conditions[at] ?? random[at - conditions.length] ?? condition,
        at,
        context,
        of,
      })),
    );
    const seen: Record<string, number> = {};
    const wrong: string[] = [];
    await inParallel(cases, async ({ condition, at, context, of }) => {
      const [ours, theirs] = [resultOf(engine, condition, context), await answer({ at, of })];
      seen[ours] = (seen[ours] ?? 0) + 1;
      if (theirs !== ours)
        wrong.push(`${ours}, but ${theirs}: ${print(condition)} of ${JSON.stringify(context, text)}`);
    });
    assert.deepEqual(wrong, [], `seed ${SEED}`);
    assert.ok(
      ['true', 'false', 'fails'].every((one) => (seen[one] ?? 0) > cases.length / 50),
      JSON.stringify(seen),
    );
  });

  it('read what macros bind in the place of shared variables', async () => {
    const [first, second] = [parse('(s + t).size() > n && xs.exists(x, x == s + t)'), parse('(s + t).startsWith(s)')];
    const { variables, expressions } = share([first, second], { least: 5, prefix: 'v' });
    assert.deepEqual(
      variables.map(({ name, expression }) => [name, print(expression)]),
      [['v1', 's + t']],
    );
    const bound = expressions.map((one) => boundByMacros(variables, one));
    assert.equal(print(bound[1] as Expression), '[s + t].map(v1, v1.startsWith(s))[0]');
    const contexts = fc.sample(CONTEXT, { numRuns: CONTEXTS, seed: SEED });
    await enforce(bound, contexts, []);
    for (const [at, condition] of [first, second].entries())
      for (const [of, context] of contexts.entries())
        assert.equal(await answer({ at, of }), resultOf(engine, condition, context), print(condition));
  });

  /** Makes the API server evaluate the condition and the context that a ConfigMap names. */
  async function enforce(
    conditions: readonly Expression[],
    contexts: readonly Context[],
    shared: ReturnType<typeof share>['variables'],
  ): Promise<void> {
    const sharedNames = shared.map(({ name }) => [name, select(identifier('variables'), name)] as const);
    const onServer = (one: Expression) => print(substitute(one, new Map([...VARIABLES, ...sharedNames])));
    const round = `${Math.max(0, Number((await api.find(POLICY))?.metadata?.generation ?? 0))}`;
    const variables = [
      { name: 'at', expression: 'int(object.data.at)' },
      { name: 'of', expression: 'int(object.data.of)' },
      ...Object.keys(DECLARATIONS).map((name) => ({
        name,
        expression: chosenBy('of', name as keyof Context, contexts),
      })),
      ...shared.map(({ name, expression }) => ({ name, expression: onServer(expression) })),
    ];
    const validations = conditions.map((one, i) => ({
      expression: `variables.at != ${i} || (${onServer(one)})`,
      message: 'is false',
    }));
    const spec = {
      failurePolicy: 'Fail',
      matchConstraints: {
        resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] }],
      },
      variables,
      validations: [...validations, { expression: 'variables.at != -1', message: `round ${round}` }],
    };
    const registered = { apiVersion: 'admissionregistration.k8s.io/v1', metadata: { name: NAME } };
    await api.apply(POLICY, { ...registered, kind: 'ValidatingAdmissionPolicy', spec });
    await api.apply(BINDING, {
      ...registered,
      kind: 'ValidatingAdmissionPolicyBinding',
      spec: {
        policyName: NAME,
        validationActions: ['Deny'],
        matchResources: { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': NAME } } },
      },
    });
    await waitFor('the conditions to be in force', async () =>
      (await ask({ at: -1, of: 0 })).includes(`round ${round}`),
    );
  }

  async function answer(which: { readonly at: number; readonly of: number }): Promise<string> {
    const message = await ask(which);
    if (message === '') return 'true';
    if (message.endsWith(': is false')) return 'false';
    return message.includes('resulted in error') ? 'fails' : message;
  }

  /** @returns the message of the refusal, or an empty text */
  async function ask({ at, of }: { readonly at: number; readonly of: number }): Promise<string> {
    const data = { at: `${at}`, of: `${of}` };
    const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'which' }, data };
    const { status, body: answered } = await api.ask('POST', CONFIG_MAPS, { body, query: { dryRun: 'All' } });
    return status < 300 ? '' : (answered.message ?? `status ${status}`);
  }
});

/** An expression that gives the value of a name in the context with this number. */
function chosenBy(variable: string, name: keyof Context, contexts: readonly Context[]): string {
  const values = contexts.map((context) => (name === 'c' ? dynamic(context.c) : print(literalOf(context[name]))));
  return `[${values.join(', ')}][variables.${variable}]`;
}

/** The fields of an object have values of several types. In CEL, a map with such values has values of type dyn. */
function dynamic(value: unknown): string {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return `dyn(${print(literalOf(value))})`;
  return `dyn({${Object.entries(value)
    .map(([key, one]) => `"${key}": ${dynamic(one)}`)
    .join(', ')}})`;
}

function resultOf(engine: CelEngine, expression: Expression, context: Context): string {
  try {
    return `${engine.run(expression, context)}`;
  } catch {
    return 'fails';
  }
}

async function inParallel<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  const left = [...items];
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let item = left.pop(); item !== undefined; item = left.pop()) await work(item);
    }),
  );
}

function text(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `${value}` : value;
}
