/** The question whether a file of the API servers protects what the operator writes (docs/static-protection.md). */
import { GROUP } from '../api/capability-policy.ts';

/** The protection refuses a binding with this label, whoever creates it: the answer shows that it is in force. */
export const PROBE_LABEL = `${GROUP}/protection-probe`;

/** A probe's refusal contains this text; then it says whether the user may write what is protected. */
export const PROTECTION_ANSWER = 'CapabilityPolicy protection in force:';
export const MAY_WRITE = 'may write what it protects';

/** The object that a probe asks an API server to create, by dry run. It would bind a policy that does not exist. */
export const PROTECTION_PROBE = {
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'ValidatingAdmissionPolicyBinding',
  metadata: { generateName: 'capabilitypolicy-protection-probe-', labels: { [PROBE_LABEL]: '' } },
  spec: { policyName: 'capabilitypolicy-protection-probe', validationActions: ['Deny'] },
};
