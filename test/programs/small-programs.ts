/** Makes small programs with a real table, probe and self-test, for tests of how programs come into force. */
import { createHash } from 'node:crypto';
import type { CapabilityPolicySpec, CompletePolicy, Mode } from '../../operator/api/capability-policy.ts';
import { type Compiled, compile } from '../../operator/compile/compile.ts';
import { type Manifest, ownedMetadata } from '../../operator/compile/objects.ts';
import {
  canaryName,
  PROBE_ANNOTATION,
  PROBE_ANSWER,
  PROGRAM_LABEL,
  type Program,
  type ProgramKind,
  probeLabels,
  programLabels,
} from '../../operator/compile/program.ts';
import { NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';
import { policy } from '../support/policies.ts';

/**
 * A policy as a row of a small program's table. A pod in the policy's namespace needs a label with one of the policy's
 * colours.
 */
export interface Row {
  readonly namespace: string;
  readonly colours: readonly string[];
  readonly mode?: Mode;
  /**
   * Only these service accounts of the namespace may use the policy. If this field is left out, everyone may use the
   * policy.
   */
  readonly users?: readonly string[];
  readonly guarded?: boolean;
  readonly fills?: boolean;
}

export type Rows = Readonly<Record<string, Row>>;

export interface SmallOptions {
  /**
   * The release of the operator. The rules contain the name of the release, so the CEL differs from release to release.
   */
  readonly release?: string;
  /**
   * Whether the program contains unsound CEL. The API server can compile the unsound CEL, but each evaluation of the
   * CEL fails.
   */
  readonly unsound?: boolean;
  /** The number of additional bytes of the table. */
  readonly padding?: number;
  /** The ending of all programs' names. */
  readonly suffix?: string;
}

const ADMISSION = 'admissionregistration.k8s.io/v1';
const PODS = [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }];
const CARRIER = [
  {
    apiGroups: ['rbac.authorization.k8s.io'],
    apiVersions: ['v1'],
    operations: ['CREATE'],
    resources: ['clusterroles'],
  },
];
const ACTIONS = {
  Enforce: ['Deny'],
  Warn: ['Warn'],
  Audit: ['Audit'],
  Guard: ['Deny'],
  Defaulting: [],
  UnknownFields: ['Warn'],
};
export const COMPILE = { oldestServer: NEWEST_KNOWN_MINOR, operatorNamespace: 'operator', excludedNamespaces: [] };

export function smallCompiled(rows: Rows, options: SmallOptions = {}): Compiled {
  const policies = Object.entries(rows).map(([name, row]) => policyOf(name, row));
  const accepted = compile(policies, COMPILE);
  const entries = Object.entries(rows);
  const ofMode = (mode: Mode) => entries.filter(([, { mode: own = 'Enforce' }]) => own === mode);
  const programs = [
    ...(['Enforce', 'Warn', 'Audit'] as const).map((mode) => smallProgram(mode, ofMode(mode), options)),
    smallProgram(
      'Guard',
      entries.filter(([, { guarded }]) => guarded),
      options,
    ),
    smallProgram(
      'Defaulting',
      entries.filter(([, { fills }]) => fills),
      options,
    ),
  ];
  return { ...accepted, programs: programs.filter(({ rows }) => rows.size > 0) };
}

function policyOf(name: string, { namespace, mode = 'Enforce', users }: Row): CompletePolicy {
  const spec: Partial<CapabilityPolicySpec> = {
    namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
    level: 'privileged',
    mode,
    ...(users && {
      usableBy: 'Subjects' as const,
      subjects: users.map((user) => ({ kind: 'ServiceAccount' as const, namespace, name: user })),
    }),
  };
  return policy(name, spec);
}

function smallProgram(
  kind: ProgramKind,
  entries: readonly (readonly [string, Row])[],
  { release = 'one', unsound = false, padding = 0, suffix = '' }: SmallOptions,
): Program {
  const name = `capabilitypolicy.${kind.toLowerCase()}${suffix}`;
  const rows = new Map(entries.map(([id, row]) => [id, rowText(id, row)] as const));
  const table = `[${[...rows.values(), '{"name": [], "namespace": [], "colours": []}'].join(',\n')}]`;
  const rules = rulesOf(kind, release, unsound);
  const rulesHash = hashOf(JSON.stringify(rules('')));
  const hash = hashOf(rulesHash + table + padding);
  const spec = (own: string) => {
    const { variables, ...rest } = rules(hash);
    const filler = padding > 0 ? [{ name: 'filler', expression: JSON.stringify('x'.repeat(padding)) }] : [];
    return {
      failurePolicy: 'Fail',
      matchConstraints: { resourceRules: [...PODS, ...CARRIER] },
      variables: [
        { name: 'probe', expression: `request.resource.resource == "clusterroles" && "${own}" != ""` },
        { name: 'table', expression: table },
        ...filler,
        ...variables,
      ],
      ...rest,
    };
  };
  const objects = (own: string, probeOnly: boolean) =>
    objectsOf(kind, own, { name: own, hash, rulesHash }, spec(own), probeOnly);
  return {
    name,
    kind,
    hash,
    rulesHash,
    ...objects(name, false),
    canary: { hash, ...objects(canaryName(name), true) },
    rows: new Map([...rows].map(([id, text]) => [id, hashOf(text)])),
  };
}

function rowText(name: string, { namespace, colours, users }: Row): string {
  const use = users ? { use: [name] } : {};
  return JSON.stringify({ name: [name], namespace: [namespace], colours, ...use });
}

function rulesOf(kind: ProgramKind, release: string, unsound: boolean) {
  const usable = `(!("use" in p) || authorizer.group("capabilitypolicy.dev").resource("capabilitypolicies").name(p.name[0]).check("use").allowed())`;
  const variables = [
    { name: 'release', expression: JSON.stringify(release) },
    { name: 'colour', expression: 'object.metadata.?labels[?"colour"].orValue("")' },
    { name: 'deciding', expression: 'variables.table.filter(p, request.namespace in p.namespace)' },
    {
      name: 'allowed',
      expression: `variables.deciding.size() == 0 || variables.deciding.exists(p, variables.colour in p.colours && ${usable})`,
    },
    {
      name: 'sound',
      expression: `variables.table.all(p, p.namespace.size() >= 0 && p.colours.size() >= 0)${unsound ? ' && variables.table[9999].size() > 0' : ''}`,
    },
  ];
  return (hash: string) =>
    kind === 'Defaulting'
      ? {
          variables,
          reinvocationPolicy: 'Never',
          mutations: [
            {
              patchType: 'JSONPatch',
              jsonPatch: {
                expression: `variables.probe ? [JSONPatch{op: "add", path: "/metadata/annotations/" + jsonpatch.escapeKey(${JSON.stringify(PROBE_ANNOTATION)}), value: variables.sound ? ${JSON.stringify(hash)} : ""}] : []`,
              },
            },
          ],
        }
      : {
          variables,
          validations: [
            { expression: '!variables.probe || !variables.sound', message: `${PROBE_ANSWER} ${hash}` },
            {
              expression: `variables.probe || ${kind === 'Guard' ? 'true' : 'variables.allowed'}`,
              message: `no colour (${release})`,
            },
          ],
        };
}

function objectsOf(
  kind: ProgramKind,
  name: string,
  labelled: Parameters<typeof programLabels>[0],
  spec: Record<string, unknown>,
  probeOnly: boolean,
): Pick<Program, 'policy' | 'bindings'> {
  const of = kind === 'Defaulting' ? 'MutatingAdmissionPolicy' : 'ValidatingAdmissionPolicy';
  const actions = (some: readonly string[]) => (kind === 'Defaulting' ? {} : { validationActions: some });
  const binding = (suffix: string, own: object): Manifest => ({
    apiVersion: ADMISSION,
    kind: `${of}Binding`,
    metadata: ownedMetadata('', `${name}-${suffix}`, { [PROGRAM_LABEL]: name }),
    spec: { policyName: name, ...own },
  });
  const probe = { objectSelector: { matchLabels: probeLabels({ name }, of) }, resourceRules: CARRIER };
  return {
    policy: {
      apiVersion: ADMISSION,
      kind: of,
      metadata: ownedMetadata('', name, programLabels(labelled)),
      spec,
    },
    bindings: [
      ...(probeOnly ? [] : [binding('pods', { ...actions(ACTIONS[kind]), matchResources: { resourceRules: PODS } })]),
      binding('probe', { ...actions(['Deny']), matchResources: probe }),
    ],
  };
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}
