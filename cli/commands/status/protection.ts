/**
 * Finds out whether the API server protects the objects that enforce policies. If the API server gives no clear answer,
 * the operator's report is used.
 */
import { askProtection } from '../../../operator/apply/protection-probe.ts';
import type { Cluster } from '../../../operator/model/objects.ts';
import type { Connected } from '../../cluster.ts';
import type { ProtectionView } from './view.ts';

/**
 * @returns a function that says whether a cluster is protected. The operator's report may change while the program
 * follows the cluster, so the result is a function
 */
export async function protectionOf({ client }: Connected): Promise<(cluster: Cluster) => ProtectionView> {
  const { state, message } = await askProtection([client]);
  if (state === 'Unprotected') {
    const text =
      'cluster administrators can change the objects that enforce policies; `cappol render --static` writes a file that prevents such changes';
    return () => ({ status: 'False', message: text });
  }
  if (state === 'Unknown') return (cluster) => reportedIn(cluster) ?? { status: 'Unknown', message };
  // The user of cappol is rarely the operator. An API server with the protection therefore refuses the program's test
  // write.
  return () => ({
    status: 'True',
    message:
      'only the operator can change the objects that enforce policies, since a file of the API server protects the objects',
  });
}

function reportedIn(cluster: Cluster): ProtectionView | undefined {
  const conditions = cluster.policies().flatMap(({ status }) => status?.conditions ?? []);
  const found = conditions.find(({ type }) => type === 'Protected');
  return found && { status: found.status, message: `as the operator reports: ${found.message}` };
}
