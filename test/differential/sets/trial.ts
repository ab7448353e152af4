/**
 * The state of a set while its pods are created. The state has the inputs of the API server, the operator and the
 * reference model.
 */
import type { UseIndex } from '../../../operator/evaluate/use.ts';
import type { Evaluator } from '../../../operator/evaluate/violations.ts';
import type { ResolvedPolicy } from '../../../operator/policy/resolve.ts';
import type { PolicyCluster } from '../policies/cluster.ts';
import type { PolicySet } from './arbitrary.ts';
import type { AuditLog } from './audit.ts';
import type { Scene } from './reference-model.ts';

export interface Trial {
  readonly cluster: PolicyCluster;
  readonly evaluator: Evaluator;
  readonly use: UseIndex;
  readonly set: PolicySet;
  /** The policies in force. For a policy with `rollout`, the list has the two parts of the policy. */
  readonly policies: readonly ResolvedPolicy[];
  /**
   * The policies in force for the reference model. The model does not split a policy into parts. `whole` is set only if
   * some policy has a rollout.
   */
  readonly whole?: Pick<Scene, 'policies' | 'rollouts'>;
  /** The API server's audit log. `audit` is undefined if the API server keeps no audit log. */
  readonly audit: AuditLog | undefined;
  /** This optional function is called for each comparison of a label or of a verdict about a promotion. */
  count?(compared: Compared): void;
}

/** The subject of a comparison: a Pod Security label of the namespace, or a verdict about a promotion. */
export type Compared = 'label' | 'promotion';
