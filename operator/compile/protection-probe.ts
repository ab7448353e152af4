/**
 * The probe of a static admission policy (docs/static-protection.md). The probe shows whether the static admission
 * policy protects the operator's objects.
 */
import { GROUP } from '../api/capability-policy.ts';

/**
 * The label of a probe's binding. The protection refuses every binding with this label, from every user. The refusal
 * shows that the protection is in force.
 */
export const PROBE_LABEL = `${GROUP}/protection-probe`;

/**
 * If the protection refuses a probe, the message begins with this text. The rest of the message shows whether the user
 * may write the protected objects.
 */
export const PROTECTION_ANSWER = 'CapabilityPolicy protection in force:';
export const MAY_WRITE = 'may write what it protects';

/**
 * The object that a probe asks an API server to create, by dry run. The object is a binding of an admission policy that
 * does not exist.
 */
export const PROTECTION_PROBE = {
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'ValidatingAdmissionPolicyBinding',
  metadata: { generateName: 'capabilitypolicy-protection-probe-', labels: { [PROBE_LABEL]: '' } },
  spec: { policyName: 'capabilitypolicy-protection-probe', validationActions: ['Deny'] },
};
