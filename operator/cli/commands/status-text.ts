/** A view of the policies in tables: what needs attention first. */
import type { RbacSubject } from '../../cluster/objects.ts';
import type { Holder } from '../../evaluate/use.ts';
import { bounded, counted, firstOf } from '../../report/text.ts';
import { tableText } from '../table.ts';
import type { PolicyView, StatusView } from './status-view.ts';

const POLICY_HEAD = ['NAME', 'LEVEL', 'MODE', 'PSA', 'NAMESPACES', 'VIOLATING', 'UNKNOWN', 'READY', 'MAY USE'];
const WIDE_HEAD = [...POLICY_HEAD, 'PRIORITY', 'VERSION', 'SHARES WITH', 'UNUSED GRANTS'];
const VIOLATION_HEAD = ['NAMESPACE', 'WORKLOAD', 'PODS', 'POLICY', 'MODE', 'RULE', 'MESSAGE'];
const MOST_SUBJECTS = 2;
/** Of these, True is what one hopes for. */
const GOOD = ['Accepted', 'Programmed', 'Ready', 'Compliant'];
/** What they say stands in the tables, or in another condition. */
const TOLD_ELSEWHERE = ['Compliant', 'Ready', 'Stalled'];

export interface TextOptions {
  readonly wide: boolean;
  /** A single policy was asked for: all that is known of it. */
  readonly whole: boolean;
}

export function statusText(view: StatusView, { wide, whole }: TextOptions): string {
  const { policies } = view;
  if (policies.length === 0) return 'There are no policies.\n';
  const sections = [
    `${summary(policies)}\n`,
    tableText(
      wide ? WIDE_HEAD : POLICY_HEAD,
      policies.map((policy) => policyRow(policy, wide)),
    ),
    conditionLines(policies, wide || whole),
    violationTable(policies),
    useTable(policies),
    allLines(view.mayUseAll ?? []),
  ];
  return sections.filter((section) => section !== '').join('\n');
}

function summary(policies: readonly PolicyView[]): string {
  const notReady = policies.filter((policy) => ready(policy) !== 'True').length;
  const violations = policies.flatMap((one) => one.violations).filter(({ verdict }) => verdict === 'Violating');
  const workloads = new Set(violations.map(({ namespace, kind, name }) => `${namespace}/${kind}/${name}`)).size;
  const namespaces = new Set(violations.map(({ namespace }) => namespace)).size;
  const partial = policies.some(isPartial) ? ' at least' : '';
  return [
    `${counted(policies.length, 'policy')}${notReady > 0 ? `, ${notReady} not ready` : ''}:`,
    workloads === 0
      ? 'no workload violates.'
      : `${counted(workloads, 'workload')} in ${counted(namespaces, 'namespace')}${partial} ${workloads === 1 ? 'violates' : 'violate'}.`,
  ].join(' ');
}

/** A status names the first workloads only. */
function isPartial({ judged, workloads, violations }: PolicyView): boolean {
  const named = new Set(violations.map(({ namespace, kind, name }) => `${namespace}/${kind}/${name}`)).size;
  return judged === 'Status' && named < workloads.violating + workloads.unknown;
}

function policyRow(policy: PolicyView, wide: boolean): string[] {
  const { name, level, mode, podSecurity, namespaces, workloads } = policy;
  const cells = [
    name,
    level,
    mode,
    podSecurity,
    String(namespaces.deciding),
    String(workloads.violating),
    String(workloads.unknown),
    ready(policy),
    users(policy),
  ];
  const shares = policy.sharesWith.map(({ policy: other, relation }) => `${other} (${relation})`);
  const more = [String(policy.priority), policy.levelVersion, firstOf(shares, 3), policy.unusedGrants.join(', ')];
  return wide ? [...cells, ...more.map((cell) => cell || '-')] : cells;
}

function ready({ conditions }: PolicyView): string {
  return conditions.find(({ type }) => type === 'Ready')?.status ?? 'Unknown';
}

function users({ usableBy, usedBy }: PolicyView): string {
  if (usableBy === 'Everyone') return 'everyone';
  if (!usedBy) return '?';
  return usedBy.length === 0
    ? 'nobody'
    : firstOf(
        usedBy.map(({ subject }) => subjectText(subject)),
        MOST_SUBJECTS,
      );
}

/** Each policy's conditions that tell of trouble, or all of them. */
function conditionLines(policies: readonly PolicyView[], all: boolean): string {
  const lines = policies.flatMap(({ name, conditions }) =>
    conditions
      .filter(
        ({ type, status }) => all || (!TOLD_ELSEWHERE.includes(type) && (status === 'True') !== GOOD.includes(type)),
      )
      .map(
        ({ type, status, reason, message }) => `${name}: ${type} is ${status} (${reason}): ${bounded(message, 1024)}\n`,
      ),
  );
  return lines.join('');
}

function violationTable(policies: readonly PolicyView[]): string {
  const rows = policies
    .flatMap(({ name: policy, mode, violations }) =>
      violations.map(({ namespace, kind, name, pods, verdict, rule, message }) => [
        namespace,
        bounded(`${kind} ${name}`, 320),
        verdict === 'Unknown' ? '?' : String(pods),
        policy,
        mode,
        rule,
        bounded(message, 1024),
      ]),
    )
    .sort((a, b) => compare(a.slice(0, 2).join('\n'), b.slice(0, 2).join('\n')));
  return rows.length === 0 ? '' : tableText(VIOLATION_HEAD, rows);
}

function useTable(policies: readonly PolicyView[]): string {
  const rows = policies.flatMap(({ name, usedBy = [] }) =>
    usedBy.map((holder) => [name, subjectText(holder.subject), where(holder)]),
  );
  return rows.length === 0 ? '' : tableText(['POLICY', 'MAY USE IT', 'WHERE'], rows);
}

/** Whoever may use all policies, those first who may by mistake. */
function allLines(holders: readonly Holder[]): string {
  const named = (some: readonly Holder[]) =>
    some.map((one) => `${subjectText(one.subject)} (${where(one)})`).join(', ');
  const wildcard = holders.filter((one) => one.wildcard);
  const others = holders.filter((one) => !one.wildcard);
  return [
    ...(wildcard.length > 0 ? [`May use every policy, by wildcard: ${named(wildcard)}\n`] : []),
    ...(others.length > 0 ? [`May use every policy: ${named(others)}\n`] : []),
  ].join('');
}

function where({ namespace, everybody }: Holder): string {
  const place = namespace === undefined ? 'everywhere' : `namespace ${namespace}`;
  return everybody ? `${place}; and so everybody, through the built-in controllers` : place;
}

/** `ServiceAccount net/pinger` */
function subjectText({ kind, namespace, name }: RbacSubject): string {
  return bounded(`${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`, 256);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
