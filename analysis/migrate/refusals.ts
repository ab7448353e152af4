/**
 * The reasons for which API servers refuse both PodSecurityPolicies and SecurityContextConstraints. The reasons are in
 * the API servers' words.
 */
import type { FieldPath } from '../schema/paths.ts';
import { type Problem, problemAt, refusalText } from '../schema/problems.ts';
import type { CapabilityLists } from './capability-lists.ts';
import type { Sysctls } from './sysctls.ts';

/** The problems that the checks of ValidateObjectMeta find in a name. */
export function nameRefusals(name: string | undefined): Problem[] {
  const path = ['metadata', 'name'];
  if (!name) return [problemAt(path, 'Required value: name or generateName is required')];
  return subdomainRefusals(path, name);
}

export function invalid(path: FieldPath, value: unknown, detail: string): Problem {
  return problemAt(path, `Invalid value: ${JSON.stringify(value)}: ${detail}`);
}

export function unsupported(path: FieldPath, value: unknown, supported: readonly string[]): Problem {
  return problemAt(path, refusalText('enum', value, supported) ?? '');
}

/** The pattern of a DNS subdomain (k8s.io/apimachinery, IsDNS1123Subdomain). */
export const SUBDOMAIN = '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*';

export function subdomainRefusals(path: FieldPath, name: string, tested = name): Problem[] {
  return [
    ...(tested.length > 253 ? [invalid(path, name, 'must be no more than 253 characters')] : []),
    ...(new RegExp(`^${SUBDOMAIN}$`).test(tested)
      ? []
      : [
          invalid(
            path,
            name,
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start " +
              `and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '${SUBDOMAIN}')`,
          ),
        ]),
  ];
}

export function oneOf(path: FieldPath, value = '', supported: readonly string[]): Problem[] {
  return supported.includes(value) ? [] : [unsupported(path, value, supported)];
}

export function eachOneOf(path: FieldPath, values: readonly string[] = [], supported: readonly string[]): Problem[] {
  return values.flatMap((value, i) => oneOf([...path, i], value, supported));
}

export function capabilityRefusals(lists: CapabilityLists, at: FieldPath): Problem[] {
  const { requiredDropCapabilities: required = [], allowedCapabilities = [], defaultAddCapabilities = [] } = lists;
  const dropped = (field: string, names: readonly string[]) =>
    names.flatMap((name, i) =>
      required.includes(name)
        ? [invalid([...at, field, i], name, `capability is listed in ${field} and requiredDropCapabilities`)]
        : [],
    );
  return [
    ...(required.length > 0 && allowedCapabilities.includes('*')
      ? [
          invalid(
            [...at, 'requiredDropCapabilities'],
            required,
            'must be empty when all capabilities are allowed by a wildcard',
          ),
        ]
      : []),
    ...dropped('defaultAddCapabilities', defaultAddCapabilities),
    ...dropped('allowedCapabilities', allowedCapabilities),
  ];
}

const SYSCTL = '([a-z0-9]([-_a-z0-9]*[a-z0-9])?\\.)*([a-z0-9][-_a-z0-9]*)?[a-z0-9*]';
const IS_SYSCTL = new RegExp(`^${SYSCTL}$`);

export function sysctlRefusals(lists: Sysctls, at: FieldPath): Problem[] {
  const { allowedUnsafeSysctls: allowed = [], forbiddenSysctls: forbidden = [] } = lists;
  return [
    ...patternRefusals([...at, 'allowedUnsafeSysctls'], allowed),
    ...patternRefusals([...at, 'forbiddenSysctls'], forbidden),
    ...allowed.flatMap((a, i) =>
      forbidden.flatMap((f, j): Problem[] => {
        if (covers(f, a)) return [invalid([...at, 'allowedUnsafeSysctls', i], a, `sysctl overlaps with ${f}`)];
        return covers(a, f) ? [invalid([...at, 'forbiddenSysctls', j], f, `sysctl overlaps with ${a}`)] : [];
      }),
    ),
  ];
}

function patternRefusals(path: FieldPath, patterns: readonly string[]): Problem[] {
  return [
    ...patterns.flatMap((pattern, i) => {
      if (pattern === '') return [invalid([...path, i], pattern, 'empty sysctl not allowed')];
      return pattern.length <= 253 && IS_SYSCTL.test(pattern)
        ? []
        : [invalid([...path, i], pattern, `must have at most 253 characters and match regex ${SYSCTL}`)];
    }),
    ...(patterns.includes('*') && patterns.length > 1
      ? [problemAt(path, "Forbidden: if '*' is present, must not specify other sysctls")]
      : []),
  ];
}

/** Whether `pattern` matches everything that `other` matches. */
function covers(pattern: string, other: string): boolean {
  return pattern.endsWith('*') ? other.replace(/\*$/, '').startsWith(pattern.slice(0, -1)) : pattern === other;
}
