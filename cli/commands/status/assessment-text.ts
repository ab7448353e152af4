/** Prints the assessment of a cluster without CapabilityPolicy for users. */
import { bounded } from '../../../operator/text/printable.ts';
import { firstOf } from '../../../operator/text/wording.ts';
import { tableText } from '../../output/table.ts';
import type { Terminal } from '../../output/terminal.ts';
import { wrap } from '../../output/wrap.ts';
import type { AssessedNamespace, AssessmentView, HeldView, LevelView } from './assessment-view.ts';
import { leftOutText, workloadsText } from './names-text.ts';
import { violationsText } from './violations-text.ts';

const MOST_CAPABILITIES = 4;

/** @param where the namespaces that were read, as text such as `namespace net` */
export function assessmentText(view: AssessmentView, where: string, terminal: Terminal): string {
  const { levels, namespaces, held, leftOut } = view;
  const sections = [
    wrap(
      `CapabilityPolicy is not installed in this cluster. This is what the levels of the Pod Security Standards would refuse in ${where}, and who holds which capability.`,
      terminal,
    ),
    levelTable(view, terminal),
    namespaces.length === 0 ? '' : namespaceTable(namespaces, levels, terminal),
    held.length === 0 ? '' : heldTable(held, terminal),
    violationsText(levels.map(refusing), terminal),
    leftOutText(leftOut, terminal),
    wrap('To try policies without an installation, run `cappol check --cluster -A --policy FILE`', terminal),
  ];
  return sections.filter((section) => section !== '').join('\n');
}

function levelTable({ levels, namespaces }: AssessmentView, terminal: Terminal): string {
  const rows = levels.map(({ level, workloads: { evaluated, violating, unknown } }) =>
    [level, namespaces.length, evaluated, violating, unknown].map(String),
  );
  return tableText(['LEVEL', 'NAMESPACES', 'WORKLOADS', 'WOULD REFUSE', 'UNKNOWN'], rows, { terminal });
}

function namespaceTable(
  namespaces: readonly AssessedNamespace[],
  levels: readonly LevelView[],
  terminal: Terminal,
): string {
  const head = [
    'NAMESPACE',
    'WORKLOADS',
    ...levels.map(({ level }) => `${level.toUpperCase()} REFUSES`),
    'ENFORCED NOW',
  ];
  const rows = namespaces.map(({ name, workloads, refused, podSecurity = '-' }) => [
    name,
    String(workloads),
    ...levels.map(({ level }) => String(refused[level] ?? 0)),
    bounded(podSecurity, 64),
  ]);
  return tableText(head, rows, { terminal });
}

function heldTable(held: readonly HeldView[], terminal: Terminal): string {
  const rows = held.map(({ capabilities, privileged, workloads }) => [
    privileged ? 'all (privileged)' : firstOf(capabilities, MOST_CAPABILITIES),
    String(workloads.length),
    workloadsText(workloads),
  ]);
  return tableText(['CAPABILITIES', 'HELD BY', 'WORKLOADS'], rows, { terminal });
}

/** Presents the violations of a level as the violations of a policy in mode Enforce. */
function refusing({ level, violations }: LevelView) {
  return { name: level, violations: violations.map((one) => ({ ...one, mode: 'Enforce' as const })) };
}
