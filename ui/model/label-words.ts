/** Makes sentences that say why the Pod Security label of a policy is not stricter. */
import type { LabelCost, LevelVersion } from '../../operator/compile/labels.ts';
import { formatVersion } from '../../operator/standards/level-version.ts';
import { firstOf } from '../../operator/text/wording.ts';

/** A Pod Security label in words, such as `restricted v1.30`, or `none`. */
export function labelText(found: LevelVersion | undefined): string {
  return found ? `${found.level} ${formatVersion(found.minor)}` : 'none';
}

/**
 * A label that is stricter than the label of the policy. The stricter label would refuse pods that the policy admits.
 */
export interface LabelCosts {
  readonly label: string;
  /**
   * The names of the rules by which the label would refuse pods. If the value of a rule applies only to some
   * containers, the name of the rule is followed by these containers.
   */
  readonly rules: readonly string[];
  /** Whether the label would warn about missing fields. Defaulting would fill in these fields after the warning. */
  readonly beforeFilling: boolean;
}

/** Groups the costs of stricter labels. Costs with the same label are in one group. The strictest label comes first. */
export function costsByLabel(costs: readonly LabelCost[]): LabelCosts[] {
  return [...Map.groupBy(costs, labelText)].map(([label, own]) => ({
    label,
    rules: own.flatMap(({ rule, containers }) => (rule === undefined ? [] : [`${rule}${whereText(containers)}`])),
    beforeFilling: own.some(({ rule }) => rule === undefined),
  }));
}

function whereText(containers: readonly string[] | undefined): string {
  if (!containers) return '';
  return containers.length > 0 ? ` (container ${firstOf(containers, 3)})` : ' (single containers)';
}
