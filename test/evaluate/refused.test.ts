import assert from 'node:assert/strict';
import { MORE_POLICIES } from '../../operator/compile/decision.ts';
import { DecidingSince } from '../../operator/evaluate/deciding-since.ts';
import { evaluatingNamespace } from '../../operator/evaluate/namespace.ts';
import { createUseIndex } from '../../operator/evaluate/use.ts';
import { Evaluator } from '../../operator/evaluate/violations.ts';
import type { Refusal, WorkloadView } from '../../operator/model/objects.ts';
import { partsOf } from '../../operator/policy/parts.ts';
import type { ResolvedPolicy } from '../../operator/policy/resolve.ts';
import { runToEnd } from '../../operator/policy/run-to-end.ts';
import { adding, pod } from '../support/pods.ts';
import { resolved } from '../support/policies.ts';
import { clusterOf, ownedBy, podView, workloadView } from '../support/views.ts';

const EVALUATION = { evaluator: new Evaluator(), use: createUseIndex([], []) };
const BROKEN = 'capabilities: container "istio-init" must not add capability NET_ADMIN';
const POD_SECURITY =
  'violates PodSecurity "baseline:latest": x (containers "istio-init", "proxy" must not include "NET_ADMIN")';

function refusal(fields: Partial<Refusal> = {}): Refusal {
  return { by: 'Program', message: `CapabilityPolicy shop: ${BROKEN}`, at: 100, ...fields };
}

interface Options {
  readonly labels?: Readonly<Record<string, string>>;
  readonly since?: number;
  readonly template?: WorkloadView['template'];
}

function evaluate(refused: Refusal | undefined, policies: readonly ResolvedPolicy[], options: Options = {}) {
  const { labels = {}, since = 0, template = pod() } = options;
  const deployment = workloadView('Deployment', 'web', { replicas: 2, template });
  const set = workloadView('ReplicaSet', 'web-1', {
    ...ownedBy('Deployment', 'web'),
    replicas: 2,
    template,
    ...(refused && { refused }),
  });
  const cluster = clusterOf([deployment, set], [podView('other')]);
  const decidedSince = { Program: since, PodSecurity: since };
  return runToEnd(evaluatingNamespace({ name: 'net', labels }, policies, cluster, EVALUATION, { decidedSince }));
}

function web(...input: Parameters<typeof evaluate>) {
  return evaluate(...input).modes.Enforce?.workloads.find(({ name }) => name === 'web');
}

describe('a workload whose pods are refused', () => {
  const shop = resolved('shop', { level: 'baseline' });

  it('violates the policy although its template complies', () => {
    assert.equal(web(undefined, [shop])?.verdict, 'Compliant');
    const found = web(refusal(), [shop]);
    assert.deepEqual([found?.verdict, found?.refused, found?.templateComplies], ['Violating', 'Now', undefined]);
    assert.deepEqual(found?.violations, {
      shop: [
        {
          rule: 'refused',
          container: 'istio-init',
          message: `the API server refuses the pods with container "istio-init" that the template lacks: ${BROKEN}`,
          path: '',
        },
      ],
    });
  });

  it('violates only the policies that the answer names', () => {
    const two = [shop, resolved('mesh', { level: 'baseline' }), resolved('third', { level: 'baseline' })];
    const found = web(refusal({ message: `CapabilityPolicy mesh: a | CapabilityPolicy shop: b` }), two);
    const messages = Object.entries(found?.violations ?? {}).map(([policy, [one]]) => [policy, one?.message]);
    assert.deepEqual(messages, [
      ['mesh', 'the API server refuses the pods: a'],
      ['shop', 'the API server refuses the pods: b'],
    ]);
  });

  it('violates also the policies that the answer only counts', () => {
    const two = [shop, resolved('third', { level: 'baseline' })];
    const message = `CapabilityPolicy shop: a | 1 ${MORE_POLICIES}`;
    const found = web(refusal({ message }), two);
    assert.deepEqual(
      Object.values(found?.violations ?? {}).map(([one]) => one?.message),
      ['the API server refuses the pods: a', `the API server refuses the pods: ${message}`],
    );
  });

  it('violates all deciding policies if the answer names none', () => {
    const found = web(refusal({ message: 'something else' }), [shop, resolved('mesh', { level: 'baseline' })]);
    assert.deepEqual(Object.keys(found?.violations ?? {}), ['mesh', 'shop']);
  });

  for (const [title, labels, by] of [
    [
      'a label',
      { 'pod-security.kubernetes.io/enforce': 'baseline' },
      'the label pod-security.kubernetes.io/enforce=baseline',
    ],
    ['a default', {}, 'the default of the API server'],
  ] as const) {
    it(`says that Pod Security refuses the pods by ${title}`, () => {
      const [one] =
        web(refusal({ by: 'PodSecurity', message: POD_SECURITY }), [shop], { labels })?.violations.shop ?? [];
      const injected = 'containers "istio-init", "proxy" that the template lacks';
      assert.equal(one?.message, `Pod Security, by ${by}, refuses the pods with ${injected}: ${POD_SECURITY}`);
    });
  }

  for (const [by, message] of [
    ['Program', 'CapabilityPolicy shop: container "app" must not'],
    ['PodSecurity', 'violates PodSecurity "baseline:latest": x (container "app" must not)'],
  ] as const) {
    it(`keeps the violations of a template that explain the refusal (${by})`, () => {
      const found = web(refusal({ by, message }), [shop], { template: adding(['SYS_ADMIN']) });
      assert.deepEqual(
        found?.violations.shop?.map(({ rule }) => rule),
        ['capabilities'],
      );
    });
  }

  it('needs every grant, because nobody knows what its pods have', () => {
    const mesh = resolved('mesh', { level: 'baseline', overrides: { capabilities: { allowedAdd: ['NET_ADMIN'] } } });
    const needed = (one?: Refusal) => evaluate(one, [mesh]).needs.get('mesh')?.needed.size;
    assert.deepEqual([needed(), needed(refusal())], [1, 2]);
  });

  it('does not violate a policy of mode Audit', () => {
    const audit = resolved('audit', { level: 'baseline', mode: 'Audit' });
    const [found] =
      evaluate(refusal(), [shop, audit]).modes.Audit?.workloads.filter(({ name }) => name === 'web') ?? [];
    assert.deepEqual([found?.verdict, found?.admittedBy], ['Compliant', undefined]);
  });

  it('is Unknown if the refusal is older than the deciding policies', () => {
    const found = web(refusal({ at: 100 }), [shop], { since: 101 });
    assert.deepEqual([found?.verdict, found?.refused], ['Unknown', 'ByOthers']);
    assert.match(found?.violations.shop?.[0]?.message ?? '', /refused the pods before .* has not tried again/);
    assert.equal(web(refusal({ at: 101 }), [shop], { since: 101 })?.verdict, 'Violating');
  });

  for (const [title, since] of [
    ['now', 0],
    ['before the policies changed', 1_000],
  ] as const) {
    it(`blocks the promotion of its namespace (${title})`, () => {
      const [, pending] = partsOf(resolved('it', { level: 'baseline', rollout: {} }), { begun: true });
      const labels = { 'rollout.capabilitypolicy.dev/it': 'pending' };
      const of = (refused?: Refusal) =>
        evaluate(refused, [pending as ResolvedPolicy], { labels, since }).promotions?.get('it');
      assert.deepEqual(of(), { violating: 0 });
      const blocked = of(refusal({ by: 'PodSecurity', message: POD_SECURITY }));
      assert.deepEqual([blocked?.violating, blocked?.worst?.name], [1, 'web']);
      assert.match(blocked?.worst?.violations.it?.[0]?.message ?? '', /^Pod Security, .*istio-init/);
    });
  }
});

describe('the time since which policies decide', () => {
  const [a, b] = [resolved('a'), resolved('b')];
  const inForce = (row: string) => ({ state: 'InForce', row });
  const deciders = (...policies: ResolvedPolicy[]) => ({ policies, rightsTo: () => 'same', labels: {} });

  it('is the beginning for the first policies', () => {
    const since = new DecidingSince();
    assert.deepEqual(since.of('net', deciders(), new Map(), 10), { Program: 0, PodSecurity: 0 });
    assert.deepEqual(since.of('net', deciders(a), new Map(), 20), { Program: 0, PodSecurity: 0 });
  });

  it('is the time at which a changed policy is in force, with room for late Events', () => {
    const since = new DecidingSince();
    const before = new Map([['a', inForce('1')]]);
    since.see('a', inForce('1'), 5);
    since.of('net', deciders(a), before, 10);
    const after = new Map([...before, ['b', inForce('1')]]);
    assert.equal(since.of('net', deciders(a, b), after, 1_000).Program, 31_000);
    since.see('b', inForce('1'), 4_000);
    assert.equal(since.of('net', deciders(a, b), after, 9_000).Program, 5_000);
  });

  it('changes with the rights to use a policy', () => {
    const since = new DecidingSince();
    const mine = resolved('mine', { usableBy: 'Subjects', subjects: [{ kind: 'User', name: 'jane' }] });
    const known = new Map([['mine', inForce('1')]]);
    since.see('mine', inForce('1'), 1);
    const of = (right: string, now: number) =>
      since.of('net', { policies: [mine], rightsTo: () => right, labels: {} }, known, now).Program;
    assert.deepEqual([of('none', 10), of('none', 20), of('jane', 30), of('jane', 40)], [0, 0, 1_030, 1_030]);
  });

  it('changes for Pod Security with the label', () => {
    const since = new DecidingSince();
    const of = (level: string, now: number) =>
      since.of('net', { ...deciders(a), labels: { 'pod-security.kubernetes.io/enforce': level } }, new Map(), now);
    assert.deepEqual(
      [of('restricted', 1).PodSecurity, of('baseline', 7).PodSecurity, of('baseline', 9).PodSecurity],
      [0, 7, 7],
    );
  });
});
