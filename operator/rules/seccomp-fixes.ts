/** The changes of a manifest that end violations of the rule `seccomp`. */
import { and, effective, FOR_WINDOWS, isUnsetForSome, literal } from './cel.ts';
import { isRefused, type Profile, profileCel, replacement } from './default-profile.ts';
import type { Fix } from './rule.ts';
import {
  annotationAllowed,
  CONTAINER_ANNOTATION,
  CONTAINER_PROFILE,
  IS_UNSET,
  POD_ANNOTATION,
  POD_PROFILE,
  type Seccomp,
} from './seccomp-filling.ts';

export function fixesOf(value: Seccomp): Fix[] {
  const profile = replacement(value, value.default);
  if (!profile) return annotationFixes(value);
  const fix = (over: 'pod' | 'containers', when: string): Fix => ({
    over,
    path: ['securityContext', 'seccompProfile'],
    when,
    value: profileCel(profile),
    class: 'check',
    risk: 'system calls that the profile does not allow fail',
  });
  const wrong = [fix('pod', isRefused(value, POD_PROFILE)), fix('containers', isRefused(value, CONTAINER_PROFILE))];
  if (value.unset === 'Allowed') return [...wrong, ...annotationFixes(value)];
  const isUnset = value.unset === 'RefusedOnPod' ? `!${POD_PROFILE}.hasValue()` : isUnsetForSome('seccompProfile');
  const missing = [
    { ...fix('pod', and(isUnset, `!(${FOR_WINDOWS})`)), inherited: true as const },
    fix('containers', and(IS_UNSET, `!(${FOR_WINDOWS})`)),
  ];
  return [...wrong, ...missing.map((one) => ({ ...one, ...safety(profile) })), ...annotationFixes(value)];
}

/** The default profiles of the runtimes allow what programs usually do. */
function safety({ type }: Profile): Pick<Fix, 'class' | 'risk'> {
  return type === 'RuntimeDefault'
    ? {
        class: 'safe',
        risk: 'rare system calls fail, such as those that need SYS_ADMIN or that load programs into the kernel',
      }
    : { class: 'check', risk: 'system calls that the profile does not allow fail' };
}

function annotationFixes({ annotations }: Seccomp): Fix[] {
  if (!annotations) return [];
  const isOurs = `k == ${literal(POD_ANNOTATION)} || k.startsWith(${literal(CONTAINER_ANNOTATION)})`;
  return [
    {
      over: 'annotations',
      path: [],
      when: and(isOurs, `!(${annotationAllowed('variables.annotations[k]')})`),
      value: 'null',
      class: 'safe',
      risk: 'none: kubelets have not read the annotation since v1.27',
    },
  ];
}

/** The profile that a container inherits is replaced on the container, since other containers may need the pod's. */
export function fixesOfContainer(value: Seccomp): Fix[] {
  const profile = replacement(value, value.default);
  if (!profile) return [];
  const got = effective('seccompProfile');
  const fix = { over: 'containers', path: ['securityContext', 'seccompProfile'], value: profileCel(profile) } as const;
  const isUnset =
    value.unset === 'Allowed'
      ? []
      : [{ ...fix, when: and(`!${got}.hasValue()`, `!(${FOR_WINDOWS})`), ...safety(profile) }];
  const risk = 'system calls that the profile does not allow fail';
  return [{ ...fix, when: isRefused(value, got), class: 'check', risk }, ...isUnset];
}
