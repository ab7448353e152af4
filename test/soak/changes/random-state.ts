/** Random changes of policies and of the labels of namespaces. */
import { type CapabilityPolicySpec, type LabelSelector, NAME_LABEL } from '../../../operator/api/capability-policy.ts';
import { formatTime } from '../../../operator/policy/expiry.ts';
import type { Labels } from '../../differential/topologies/in-force.ts';
import type { Random } from '../../support/random.ts';
import type { State } from './timeline.ts';

export const TEAMS = ['net', 'db'] as const;
const SECOND = 1_000;
/**
 * A policy that selects no namespace. The test edits this policy to set a marker. When an edit is in force, the
 * operator has handled all earlier deletions.
 */
export const MARKER = 'changes-marker';

export interface Change {
  readonly title: string;
  readonly next: State;
  /** The changed policies by name. A deleted policy has the value undefined. */
  readonly policies: ReadonlyMap<string, CapabilityPolicySpec | undefined>;
  readonly namespaces: ReadonlyMap<string, Labels>;
}

export interface Names {
  readonly policies: readonly string[];
  readonly namespaces: readonly string[];
}

export function randomChange(state: State, names: Names, random: Random): Change {
  const kind = random.int(100);
  const existing = names.policies.filter((name) => state.policies.has(name));
  if (kind < 15 && existing.length > 2) {
    const gone = oneOf(existing, random);
    return changed(`delete ${gone}`, state, [[gone, undefined]]);
  }
  if (kind < 30) {
    const namespace = oneOf(names.namespaces, random);
    return changed(`label ${namespace}`, state, [], [[namespace, randomLabels(random)]]);
  }
  if (kind < 42 && existing.length > 0) {
    const name = oneOf(existing, random);
    const spec = state.policies.get(name) as CapabilityPolicySpec;
    const expires = formatTime((Math.ceil(Date.now() / SECOND) + 4 + random.int(15)) * SECOND);
    // A policy that expires must not set Pod Security labels. The operator removes a label shortly after the expiry.
    return changed(`end ${name} at ${expires}`, state, [[name, { ...spec, expires, podSecurityLabels: 'Off' }]]);
  }
  const count = kind < 60 ? 2 + random.int(3) : 1;
  const some = Array.from({ length: count }, () => oneOf(names.policies, random));
  const specs = some.map((name) => [name, randomSpec(names.namespaces, random)] as const);
  return changed(`write ${some.join(', ')}`, state, specs);
}

export function randomLabels(random: Random): Labels {
  return {
    ...(random.int(4) > 0 && { team: oneOf(TEAMS, random) }),
    ...(random.int(3) === 0 && { environment: 'production' }),
  };
}

export function changed(
  title: string,
  state: State,
  policies: readonly (readonly [string, CapabilityPolicySpec | undefined])[],
  namespaces: readonly (readonly [string, Labels])[] = [],
): Change {
  const all = new Map(state.policies);
  for (const [name, spec] of policies) {
    if (spec) all.set(name, spec);
    else all.delete(name);
  }
  return {
    title,
    policies: new Map(policies),
    namespaces: new Map(namespaces),
    next: { policies: all, namespaces: new Map([...state.namespaces, ...namespaces]) },
  };
}

function randomSpec(namespaces: readonly string[], random: Random): CapabilityPolicySpec {
  const allowedAdd = (['NET_RAW', 'SYS_TIME', 'NET_BIND_SERVICE'] as const).filter(() => random.int(2) === 0);
  const level = oneOf(['restricted', 'baseline', 'privileged'] as const, random);
  const use = random.int(6);
  const subjects = [{ kind: 'ServiceAccount' as const, name: 'runner', namespace: oneOf(namespaces, random) }];
  return {
    namespaceSelector: randomSelector(namespaces, random),
    level,
    mode: oneOf(['Enforce', 'Enforce', 'Enforce', 'Enforce', 'Warn', 'Audit'] as const, random),
    priority: oneOf([0, 0, 0, 10, -5], random),
    ...(use === 0 && { usableBy: 'Subjects' as const, subjects }),
    ...(use === 1 && { usableBy: 'Bindings' as const }),
    ...(random.int(3) === 0 && { podSecurityLabels: 'Off' as const }),
    overrides: { ...(level === 'privileged' && { privileged: false }), capabilities: { allowedAdd: [...allowedAdd] } },
  };
}

function randomSelector(namespaces: readonly string[], random: Random): LabelSelector {
  const name = oneOf(namespaces, random);
  const team = oneOf(TEAMS, random);
  const selectors: readonly LabelSelector[] = [
    {},
    { matchLabels: { team } },
    { matchLabels: { [NAME_LABEL]: name } },
    { matchLabels: { [NAME_LABEL]: name } },
    {
      matchExpressions: [
        { key: NAME_LABEL, operator: 'In', values: [name, oneOf(namespaces, random)].filter(isFirst) },
      ],
    },
    { matchExpressions: [{ key: 'team', operator: 'NotIn', values: [team] }] },
    { matchExpressions: [{ key: 'environment', operator: 'Exists' }] },
    { matchLabels: { team }, matchExpressions: [{ key: 'environment', operator: 'DoesNotExist' }] },
  ];
  return oneOf(selectors, random);
}

function isFirst(value: string, index: number, all: readonly string[]): boolean {
  return all.indexOf(value) === index;
}

export function oneOf<T>(values: readonly T[], random: Random): T {
  return values[random.int(values.length)] as T;
}
