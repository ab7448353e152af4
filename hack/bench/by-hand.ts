/**
 * Writes an admission policy as a user would write it by hand. This admission policy is the baseline for the objects of
 * the operator.
 */
import type { ApiClient, Identified } from '../../operator/cluster/client.ts';
import { PODS } from '../../operator/compile/match.ts';

const ADMISSION = 'admissionregistration.k8s.io/v1';

/**
 * Writes a ValidatingAdmissionPolicy that refuses pods for which the CEL expression is false. The policy has an effect
 * only with a binding.
 */
export async function writeByHand(client: ApiClient, name: string, expression: string): Promise<void> {
  await client.apply({
    apiVersion: ADMISSION,
    kind: 'ValidatingAdmissionPolicy',
    metadata: { name },
    spec: { matchConstraints: { resourceRules: PODS }, validations: [{ expression }] },
  } as Identified);
}

/** Binds the admission policy to the namespaces with the given labels. */
export async function bindByHand(
  client: ApiClient,
  name: string,
  matchLabels: Readonly<Record<string, string>>,
): Promise<void> {
  await client.apply({
    apiVersion: ADMISSION,
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata: { name },
    spec: { policyName: name, validationActions: ['Deny'], matchResources: { namespaceSelector: { matchLabels } } },
  } as Identified);
}
