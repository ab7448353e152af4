/** Rules about resources, and whether an API server applies them to the creation of pods. */

export interface RuleCase {
  readonly title: string;
  readonly matches: boolean;
  /** The MatchResources of a policy, whose `resourceRules` are also the rules of a webhook. */
  readonly matchConstraints: { readonly resourceRules: readonly object[]; readonly [field: string]: unknown };
  /** The MatchResources of the policy's binding. A webhook has no binding. */
  readonly matchResources?: object;
}

const PODS = { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] };

function ruled(title: string, matches: boolean, changes: object): RuleCase {
  return { title, matches, matchConstraints: { resourceRules: [{ ...PODS, ...changes }] } };
}

/** Cases for webhooks and policies. */
export const RULES: readonly RuleCase[] = [
  ruled('pods', true, {}),
  ruled('namespaced pods', true, { scope: 'Namespaced' }),
  ruled('cluster-scoped pods', false, { scope: 'Cluster' }),
  ruled('everything', true, { apiGroups: ['*'], apiVersions: ['*'], operations: ['*'], resources: ['*'], scope: '*' }),
  ruled('everything and its subresources', true, { apiGroups: ['*'], apiVersions: ['*'], resources: ['*/*'] }),
  ruled('pods and their subresources', true, { resources: ['pods/*'] }),
  ruled('one subresource of pods', false, { resources: ['pods/binding'] }),
  ruled('one subresource of everything', false, { resources: ['*/status'] }),
  ruled('another resource', false, { resources: ['configmaps'] }),
  ruled('pods of another group', false, { apiGroups: ['metrics.k8s.io'] }),
  ruled('another version of pods', false, { apiVersions: ['v1beta1'] }),
  ruled('updates of pods', false, { operations: ['UPDATE', 'CONNECT'] }),
  ruled('one of several', true, {
    apiGroups: ['apps', ''],
    apiVersions: ['v1beta1', 'v1'],
    operations: ['UPDATE', 'CREATE'],
    resources: ['deployments', 'pods'],
  }),
  {
    title: 'the second rule',
    matches: true,
    matchConstraints: { resourceRules: [{ ...PODS, resources: ['secrets'] }, PODS] },
  },
];

/** Cases for policies and their bindings. */
export const POLICY_RULES: readonly RuleCase[] = [
  ...RULES,
  {
    title: 'excluded pods',
    matches: false,
    matchConstraints: { resourceRules: [{ ...PODS, resources: ['*'] }], excludeResourceRules: [PODS] },
  },
  {
    title: 'excluded updates of pods',
    matches: true,
    matchConstraints: { resourceRules: [PODS], excludeResourceRules: [{ ...PODS, operations: ['UPDATE'] }] },
  },
  {
    title: 'one excluded pod',
    matches: true,
    matchConstraints: { resourceRules: [PODS], excludeResourceRules: [{ ...PODS, resourceNames: ['another'] }] },
  },
  {
    title: 'a binding to another resource',
    matches: false,
    matchConstraints: { resourceRules: [PODS] },
    matchResources: { resourceRules: [{ ...PODS, resources: ['configmaps'] }] },
  },
  {
    title: 'a binding to pods',
    matches: true,
    matchConstraints: { resourceRules: [{ ...PODS, resources: ['*'] }] },
    matchResources: { resourceRules: [PODS] },
  },
  {
    title: 'a binding that excludes pods',
    matches: false,
    matchConstraints: { resourceRules: [PODS] },
    matchResources: { excludeResourceRules: [PODS] },
  },
  {
    title: 'a binding to other namespaces',
    matches: false,
    matchConstraints: { resourceRules: [PODS] },
    matchResources: { namespaceSelector: { matchLabels: { 'mutators-of': 'others' } } },
  },
  {
    title: 'other namespaces',
    matches: false,
    matchConstraints: { resourceRules: [PODS], namespaceSelector: { matchLabels: { 'mutators-of': 'others' } } },
  },
  {
    title: 'all namespaces except others',
    matches: true,
    matchConstraints: {
      resourceRules: [PODS],
      namespaceSelector: { matchExpressions: [{ key: 'mutators-of', operator: 'NotIn', values: ['others'] }] },
    },
  },
];
