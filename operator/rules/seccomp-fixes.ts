/** The fixes for violations of the rule `seccomp`. */
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
  const wrong = [
    setting(profile, 'pod', isRefused(value, POD_PROFILE), CONFINED),
    setting(profile, 'containers', isRefused(value, CONTAINER_PROFILE), CONFINED),
  ];
  if (value.unset === 'Allowed') return [...wrong, ...annotationFixes(value)];
  const isUnset = value.unset === 'RefusedOnPod' ? `!${POD_PROFILE}.hasValue()` : isUnsetForSome('seccompProfile');
  const missing = [
    { ...setting(profile, 'pod', and(isUnset, `!(${FOR_WINDOWS})`), riskOfFirst(profile)), inherited: true as const },
    setting(profile, 'containers', and(IS_UNSET, `!(${FOR_WINDOWS})`), riskOfFirst(profile)),
  ];
  return [...wrong, ...missing, ...annotationFixes(value)];
}

/**
 * The fixes for a container. If the container inherits a wrong profile, the fix sets a profile on the container,
 * because other containers may need the pod's profile.
 */
export function fixesOfContainer(value: Seccomp): Fix[] {
  const profile = replacement(value, value.default);
  if (!profile) return [];
  const got = effective('seccompProfile');
  const wrong = setting(profile, 'containers', isRefused(value, got), CONFINED);
  if (value.unset === 'Allowed') return [wrong];
  return [wrong, setting(profile, 'containers', and(`!${got}.hasValue()`, `!(${FOR_WINDOWS})`), riskOfFirst(profile))];
}

type Risk = Pick<Fix, 'class' | 'risk'>;

const CONFINED: Risk = { class: 'check', risk: 'system calls fail if the profile does not allow them' };

/**
 * The risk of a fix that adds a profile to a pod or container without a profile. The default profiles of container
 * runtimes allow what programs usually do.
 */
function riskOfFirst({ type }: Profile): Risk {
  if (type !== 'RuntimeDefault') return CONFINED;
  return {
    class: 'safe',
    risk: 'rare system calls fail, such as those that need SYS_ADMIN or that load programs into the kernel',
  };
}

function setting(profile: Profile, over: 'pod' | 'containers', when: string, risk: Risk): Fix {
  return { over, path: ['securityContext', 'seccompProfile'], when, value: profileCel(profile), ...risk };
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
