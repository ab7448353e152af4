/** Prints the summary for users. The summary has the results for each control of the hardening guides. */
import { bounded } from '../../../operator/text/printable.ts';
import { counted } from '../../../operator/text/wording.ts';
import { tableText } from '../../output/table.ts';
import type { Terminal } from '../../output/terminal.ts';
import { paragraph, wrap } from '../../output/wrap.ts';
import type { ComplianceView, ControlView, ExceptedBy } from './compliance-view.ts';
import { leftOutText, workloadsText } from './names-text.ts';

const HEAD = ['CONTROL', 'PASSED', 'PARTLY', 'FAILED', 'EXCEPTED', 'ABOUT'];

/** @param where the namespaces that were read, as text such as `namespace net` */
export function complianceText(view: ComplianceView, where: string, terminal: Terminal): string {
  const { guides, controls, leftOut } = view;
  const sections = [
    introduction(view, where, terminal),
    ...guides.map((guide) => guideTable(guide, controls, terminal)),
    failedTable(controls, terminal),
    exceptedTable(view, terminal),
    partlyLines(controls, terminal),
    leftOutText(leftOut, terminal),
  ];
  return sections.filter((section) => section !== '').join('\n');
}

function introduction({ workloads, guides, installed }: ComplianceView, where: string, terminal: Terminal): string {
  const none = installed ? '' : ' CapabilityPolicy is not installed in this cluster, so no policy excepts a workload.';
  return wrap(
    `${counted(workloads, 'workload')} in ${where}, by the recommendations of ${guides.join(' and ')} that rules cover. The summary covers the fields of pods and templates. It does not cover nodes, the control plane, or other recommendations of these guides.${none}`,
    terminal,
  );
}

function guideTable(guide: string, controls: readonly ControlView[], terminal: Terminal): string {
  const rows = controls
    .filter((control) => control.guide === guide)
    .map(({ id, about, passed, partly, failed, excepted }) => [
      id,
      ...[passed, partly, failed.length, excepted.length].map(String),
      about,
    ]);
  const paint = (head: string, cell: string) =>
    head === 'FAILED' && cell !== '0' ? terminal.paint('red', cell) : cell;
  return `${wrap(guide, terminal)}${tableText(HEAD, rows, { terminal, paint })}`;
}

function failedTable(controls: readonly ControlView[], terminal: Terminal): string {
  const rows = controls
    .filter(({ failed }) => failed.length > 0)
    .map(({ id, failed }) => [id, String(failed.length), workloadsText(failed)]);
  return rows.length === 0 ? '' : tableText(['CONTROL', 'FAILED', 'WORKLOADS'], rows, { terminal });
}

/**
 * A table with a row for each control and policy. If the pods of a workload need two policies, the workload is in two
 * rows.
 */
function exceptedTable({ controls, exceptions }: ComplianceView, terminal: Terminal): string {
  const rows = controls.flatMap(({ id, excepted }) =>
    exceptions.flatMap(({ policy, reason, expires }) => {
      const workloads = excepted.filter((one: ExceptedBy) => one.policies.includes(policy));
      const row = [
        id,
        String(workloads.length),
        policy,
        expires ?? 'never',
        bounded(reason, 512),
        workloadsText(workloads),
      ];
      return workloads.length === 0 ? [] : [row];
    }),
  );
  const head = ['CONTROL', 'EXCEPTED', 'BY POLICY', 'EXPIRES', 'REASON', 'WORKLOADS'];
  return rows.length === 0 ? '' : tableText(head, rows, { terminal });
}

/**
 * Lines that say which part of a control the summary cannot show. The list has a line for each control with partly
 * assessed workloads.
 */
function partlyLines(controls: readonly ControlView[], terminal: Terminal): string {
  const partly = controls.filter((control) => control.partly > 0);
  return [...Map.groupBy(partly, ({ unseen }) => unseen)]
    .map(([unseen, alike]) =>
      paragraph(
        `Partly assessed: ${alike.map(({ id }) => id).join(', ')}. The summary cannot show ${unseen}.`,
        terminal,
      ),
    )
    .join('');
}
