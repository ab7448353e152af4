/**
 * Lists the reasons why the API server of Kubernetes 1.24 would have refused a PodSecurityPolicy, in the API server's
 * words.
 *
 * Source: k8s.io/kubernetes@v1.24.17 pkg/apis/policy/validation/validation.go. If the API server's message names a
 * wrong field, this file names the right field instead.
 */
import type { FieldPath } from '../schema/paths.ts';
import { type Problem, problemAt } from '../schema/problems.ts';
import { ANNOTATIONS, type Psp, type PspSpec, type Strategy } from './psp.ts';
import {
  capabilityRefusals,
  eachOneOf,
  invalid,
  oneOf,
  subdomainRefusals,
  sysctlRefusals,
  unsupported,
} from './refusals.ts';
import { PSP_VOLUMES } from './volume-types.ts';

export function refusalsOf({ annotations, spec }: Psp): Problem[] {
  return [
    ...profileRefusals(annotations),
    ...strategyRefusals(spec),
    ...capabilityRefusals(spec, ['spec']),
    ...escalationRefusals(spec),
    ...eachOneOf(['spec', 'volumes'], spec.volumes, [...PSP_VOLUMES.keys(), '*'].sort()),
    ...eachOneOf(['spec', 'allowedProcMountTypes'], spec.allowedProcMountTypes, ['Default', 'Unmasked']),
    ...hostPathRefusals(spec),
    ...driverRefusals(spec),
    ...sysctlRefusals(spec, ['spec']),
    ...runtimeClassRefusals(spec),
  ];
}

function profileRefusals(annotations: Psp['annotations']): Problem[] {
  const each = (key: string, check: (path: FieldPath, profile: string, whole: string) => Problem[], split: boolean) => {
    const whole = annotations[key] ?? '';
    const profiles = whole === '' ? [] : split ? whole.split(',') : [whole];
    return profiles.flatMap((profile) => check(['metadata', 'annotations', key], profile, whole));
  };
  return [
    ...each(ANNOTATIONS.defaultAppArmor, appArmorRefusals, false),
    ...each(ANNOTATIONS.allowedAppArmor, appArmorRefusals, true),
    ...each(ANNOTATIONS.defaultSeccomp, seccompRefusals, false),
    ...each(
      ANNOTATIONS.allowedSeccomp,
      (path, profile) => (profile === '*' ? [] : seccompRefusals(path, profile)),
      true,
    ),
  ];
}

function appArmorRefusals(path: FieldPath, profile: string, whole: string): Problem[] {
  return ['', 'runtime/default', 'unconfined'].includes(profile) || profile.startsWith('localhost/')
    ? []
    : [invalid(path, whole, `invalid AppArmor profile name: ${JSON.stringify(profile)}`)];
}

function seccompRefusals(path: FieldPath, profile: string): Problem[] {
  if (['runtime/default', 'docker/default', 'unconfined'].includes(profile)) return [];
  if (!profile.startsWith('localhost/')) return [invalid(path, profile, 'must be a valid seccomp profile')];
  const file = profile.slice('localhost/'.length);
  return [
    ...(file.startsWith('/') ? [invalid(path, file, 'must be a relative path')] : []),
    ...(file.split('/').includes('..') ? [invalid(path, file, "must not contain '..'")] : []),
  ];
}

const USER_RULES = ['MustRunAs', 'MustRunAsNonRoot', 'RunAsAny'];
const GROUP_RULES = ['MayRunAs', 'MustRunAs', 'RunAsAny'];

function strategyRefusals(spec: PspSpec): Problem[] {
  return [
    ...ruleRefusals(['spec', 'runAsUser'], spec.runAsUser, USER_RULES),
    ...(spec.runAsGroup ? runAsGroupRefusals(spec.runAsGroup) : []),
    ...ruleRefusals(['spec', 'seLinux'], spec.seLinux && { rule: spec.seLinux.rule ?? '' }, ['MustRunAs', 'RunAsAny']),
    ...ruleRefusals(['spec', 'supplementalGroups'], spec.supplementalGroups, GROUP_RULES),
    ...ruleRefusals(['spec', 'fsGroup'], spec.fsGroup, GROUP_RULES),
  ];
}

function ruleRefusals(path: FieldPath, { rule = '', ranges }: Strategy = {}, rules: readonly string[]): Problem[] {
  return [...oneOf([...path, 'rule'], rule, rules), ...rangeRefusals([...path, 'ranges'], ranges)];
}

/**
 * The reasons to refuse `runAsGroup`. For `runAsGroup`, the API server also checks the number of ranges. The API server
 * checks `runAsGroup` in another order than other strategies.
 */
function runAsGroupRefusals({ rule = '', ranges = [] }: Strategy): Problem[] {
  const path = ['spec', 'runAsGroup'];
  switch (rule) {
    case 'RunAsAny':
      return ranges.length > 0 ? [invalid([...path, 'ranges'], ranges, 'Ranges must be empty')] : [];
    case 'MustRunAs':
    case 'MayRunAs':
      return ranges.length > 0
        ? rangeRefusals([...path, 'ranges'], ranges)
        : [invalid([...path, 'ranges'], ranges, 'must provide at least one range')];
    default:
      return [unsupported([...path, 'rule'], rule, ['MustRunAs', 'RunAsAny', 'MayRunAs'])];
  }
}

function rangeRefusals(path: FieldPath, ranges: Strategy['ranges'] = []): Problem[] {
  return ranges.flatMap(({ min = 0, max = 0 }, i) => [
    ...(min < 0 ? [invalid([...path, i, 'min'], min, 'min cannot be negative')] : []),
    ...(max < 0 ? [invalid([...path, i, 'max'], max, 'max cannot be negative')] : []),
    ...(min > max ? [invalid([...path, i, 'min'], min, 'min cannot be greater than max')] : []),
  ]);
}

function escalationRefusals({ defaultAllowPrivilegeEscalation, allowPrivilegeEscalation = true }: PspSpec): Problem[] {
  return defaultAllowPrivilegeEscalation && !allowPrivilegeEscalation
    ? [
        invalid(
          ['spec', 'defaultAllowPrivilegeEscalation'],
          true,
          'Cannot set DefaultAllowPrivilegeEscalation to true without also setting AllowPrivilegeEscalation to true',
        ),
      ]
    : [];
}

function hostPathRefusals({ allowedHostPaths = [] }: PspSpec): Problem[] {
  return allowedHostPaths.flatMap(({ pathPrefix = '' }, i) => {
    const path = ['spec', 'allowedHostPaths', i];
    if (pathPrefix === '') return [problemAt(path, 'Required value: is required')];
    return pathPrefix.split('/').includes('..') ? [invalid(path, pathPrefix, "must not contain '..'")] : [];
  });
}

function driverRefusals({ allowedFlexVolumes = [], allowedCSIDrivers = [] }: PspSpec): Problem[] {
  return [
    ...allowedFlexVolumes.flatMap(({ driver }, i) =>
      driver ? [] : [problemAt(['spec', 'allowedFlexVolumes', i, 'driver'], 'Required value: must specify a driver')],
    ),
    ...allowedCSIDrivers.flatMap(({ name = '' }, i) => {
      const path = ['spec', 'allowedCSIDrivers', i, 'name'];
      return [
        ...(name === '' ? [problemAt(path, 'Required value')] : []),
        ...(name.length > 63 ? [problemAt(path, 'Too long: must have at most 63 bytes')] : []),
        ...subdomainRefusals(path, name, name.toLowerCase()),
      ];
    }),
  ];
}

function runtimeClassRefusals({ runtimeClass }: PspSpec): Problem[] {
  if (!runtimeClass) return [];
  const { allowedRuntimeClassNames: allowed = [], defaultRuntimeClassName: filling } = runtimeClass;
  const path = ['spec', 'runtimeClass', 'allowedRuntimeClassNames'];
  return [
    ...allowed.flatMap((name, i) => [
      ...(name === '*' ? [] : subdomainRefusals([...path, i], name)),
      ...(allowed.indexOf(name) < i ? [problemAt([...path, i], `Duplicate value: ${JSON.stringify(name)}`)] : []),
    ]),
    ...(filling === undefined ? [] : subdomainRefusals(['spec', 'runtimeClass', 'defaultRuntimeClassName'], filling)),
    ...(filling !== undefined && !allowed.includes(filling) && !allowed.includes('*')
      ? [problemAt(path, `Required value: default ${JSON.stringify(filling)} must be allowed`)]
      : []),
    ...(allowed.includes('*') && allowed.length > 1
      ? [invalid(path, allowed, "if '*' is present, must not specify other RuntimeClass names")]
      : []),
  ];
}
