/**
 * Lists the reasons why OpenShift would have refused SecurityContextConstraints.
 *
 * Source: github.com/openshift/apiserver-library-go pkg/securitycontextconstraints, and the validation of the kind
 * itself.
 */
import type { Problem } from '../schema/problems.ts';
import { capabilityRefusals, eachOneOf, invalid, oneOf, sysctlRefusals } from './refusals.ts';
import type { Scc } from './scc.ts';
import { SCC_VOLUMES } from './volume-types.ts';

const USER_TYPES = ['MustRunAs', 'MustRunAsNonRoot', 'MustRunAsRange', 'RunAsAny'];
const TYPES = ['MustRunAs', 'RunAsAny'];
const VOLUMES = [...SCC_VOLUMES.keys(), '*', 'none'].sort();

export function sccRefusals(scc: Scc): Problem[] {
  const { priority = 0, volumes, userNamespaceLevel } = scc;
  return [
    ...(priority < 0 ? [invalid(['priority'], priority, 'priority cannot be negative')] : []),
    ...oneOf(['runAsUser', 'type'], scc.runAsUser?.type, USER_TYPES),
    ...oneOf(['seLinuxContext', 'type'], scc.seLinuxContext?.type, TYPES),
    // The default type of fsGroup and supplementalGroups is RunAsAny.
    ...oneOf(['fsGroup', 'type'], scc.fsGroup?.type ?? 'RunAsAny', TYPES),
    ...oneOf(['supplementalGroups', 'type'], scc.supplementalGroups?.type ?? 'RunAsAny', TYPES),
    ...oneOf(['userNamespaceLevel'], userNamespaceLevel ?? 'AllowHostLevel', ['AllowHostLevel', 'RequirePodLevel']),
    ...capabilityRefusals(scc, []),
    ...eachOneOf(['volumes'], volumes, VOLUMES),
    ...sysctlRefusals(scc, []),
  ];
}
