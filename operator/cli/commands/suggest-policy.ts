/** A suggestion → the policy to apply. */
import {
  type CapabilityPolicy,
  GROUP,
  KIND,
  type LabelSelector,
  type Mode,
  VERSION,
} from '../../api/capability-policy.ts';
import type { Suggestion } from '../../evaluate/suggest.ts';

export interface PolicyOptions {
  readonly name: string;
  readonly mode: Mode;
  /** Left out: the newest that every API server has. */
  readonly levelVersion?: string;
  readonly selector: LabelSelector;
}

/** The API server puts it on every namespace. */
const NAME_LABEL = 'kubernetes.io/metadata.name';
/** As many values as the API takes. */
const MOST_NAMES = 100;

export function policyOf({ level, overrides }: Suggestion, options: PolicyOptions): CapabilityPolicy {
  const { name, mode, levelVersion, selector } = options;
  return {
    apiVersion: `${GROUP}/${VERSION}`,
    kind: KIND,
    metadata: { name },
    spec: {
      namespaceSelector: selector,
      level,
      ...(levelVersion !== undefined && { levelVersion }),
      mode,
      ...(Object.keys(overrides).length > 0 && { overrides }),
    },
  };
}

/** These namespaces and no other; all of them when they are too many to be named. */
export function selectorOf(namespaces: readonly string[]): LabelSelector {
  const [only, ...others] = namespaces;
  if (only !== undefined && others.length === 0) return { matchLabels: { [NAME_LABEL]: only } };
  if (only === undefined || namespaces.length > MOST_NAMES) return {};
  return { matchExpressions: [{ key: NAME_LABEL, operator: 'In', values: [...namespaces] }] };
}
