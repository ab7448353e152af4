/** Compares the contents of the page, cell by cell, with the output of cappol and the status of the policies. */
import assert from 'node:assert/strict';
import { mergeViolations } from '../../analysis/check/merged.ts';
import type { CheckedItem } from '../../analysis/check/result.ts';
import { readiness } from '../../analysis/policies/condition-problems.ts';
import { statusText } from '../../cli/commands/status/text.ts';
import type { PolicyView, StatusView } from '../../cli/commands/status/view.ts';
import { PLAIN } from '../../cli/output/terminal.ts';
import type { CapabilityPolicyStatus, Mode } from '../../operator/api/capability-policy.ts';
import type { Page } from './browser.ts';
import { listRows, type RowText, tableRows, textsOf } from './page-contents.ts';
import { goTo, settled, viewNamed } from './views-of-page.ts';

export interface Told {
  /** The output of `cappol status -o json`. */
  readonly status: StatusView;
  /** The items of `cappol check --cluster -o json`. */
  readonly items: readonly CheckedItem[];
  /** The status of each policy, by name. */
  readonly statuses: ReadonlyMap<string, CapabilityPolicyStatus>;
  /** Whether the namespace has the label of the policy's rollout. */
  isPending(policy: string, namespace: string): boolean;
}

/** @returns the number of cells that were compared */
export async function assertSaysTheSame(page: Page, told: Told): Promise<number> {
  const summary = await assertSummary(page, told);
  const policies = await assertPolicies(page, told);
  const violations = await assertViolations(page, told);
  return summary + policies + violations;
}

async function assertSummary(page: Page, { status }: Told): Promise<number> {
  await goTo(page, viewNamed('overview'));
  const [said = ''] = await textsOf(page.locator('.summary'));
  const text = statusText(status, { terminal: PLAIN, wide: false, whole: false, namespace: undefined });
  // If no policy exists, the page explains the consequences.
  if (status.policies.length === 0) assert.match(said, /^There are no policies/);
  else assert.equal(said, text.split('\n')[0]);
  return 1;
}

async function assertPolicies(page: Page, { status: { policies }, statuses }: Told): Promise<number> {
  await goTo(page, viewNamed('policies'));
  const table = page.locator('main table').first();
  const rows = policies.length === 0 ? [] : await tableRows(table);
  assert.deepEqual(
    rows.map(({ Name }) => Name),
    policies.map(({ name }) => name),
  );
  for (const [index, policy] of policies.entries()) {
    const { name, level, levelVersion, mode, priority, namespaces, workloads } = policy;
    const { 'Level and exceptions': said = '', State, Namespaces, Violating, ...row } = rows[index] as RowText;
    const [levelSaid] = said.split(', except: ');
    assert.equal(levelSaid, levelVersion === 'latest' ? level : `${level} ${levelVersion}`, name);
    assert.equal(row.Mode, mode, name);
    assert.equal(row.Priority, String(priority), name);
    const beyond = namespaces.selected > namespaces.deciding ? ` of ${namespaces.selected}` : '';
    assert.equal(Namespaces, `${namespaces.deciding}${beyond}`, name);
    assert.equal(
      Violating,
      `${workloads.violating}${workloads.unknown > 0 ? ` +${workloads.unknown} unknown` : ''}`,
      name,
    );
    assert.equal(State === 'In force', readiness(policy) === 'True' && policy.expired !== true, `${name}: ${State}`);
    const own = statuses.get(name) ?? {};
    if (own.rollout) assert.equal(row['Rolled out'], own.rollout.progress, name);
    assertStatus(policy, own);
  }
  return rows.length * 6;
}

/** Checks that the policy's status equals the output of `cappol status`. */
function assertStatus({ name, workloads, namespaces }: PolicyView, status: CapabilityPolicyStatus): void {
  const { selected = 0, deciding = 0 } = status.namespaces ?? {};
  assert.deepEqual({ selected, deciding }, namespaces, name);
  const { evaluated = 0, violating = 0, unknown = 0 } = status.workloads ?? {};
  assert.deepEqual({ evaluated, violating, unknown }, workloads, name);
}

async function assertViolations(page: Page, { status: { policies }, items, isPending }: Told): Promise<number> {
  await goTo(page, viewNamed('violations'));
  const list = page.locator('.rows.violations');
  const rows = (await list.count()) === 0 ? [] : await listRows(page, list);
  const expected = policies.flatMap((policy) => policy.violations.map((one) => ({ ...one, policy })));
  // If a workload breaks several policies of the same mode, the list has one row for the workload and the mode.
  const groups = Map.groupBy(expected, ({ namespace, kind, name, policy }) =>
    JSON.stringify([namespace, `${kind} ${name}`, modeIn(policy, isPending(policy.name, namespace))]),
  );
  const cells = [...groups].map(([key, all]): RowText => {
    const [Namespace, Workload, mode] = JSON.parse(key) as [string, string, Mode];
    const [{ verdict, pods }] = all as [(typeof all)[number]];
    const Result = verdict === 'Unknown' ? 'Unknown' : EFFECTS[mode];
    const names = [...new Set(all.map(({ policy }) => policy.name))];
    const rules = new Set(all.map(({ rule }) => rule));
    return { Namespace, Workload, Result, Policy: listed(names), Rules: listed([...rules]), Pods: String(pods) };
  });
  const sortedLists = (row: RowText) => ({
    ...row,
    Policy: listed(named(row.Policy)),
    Rules: listed(named(row.Rules)),
  });
  assert.deepEqual(rows.map(sortedLists).sort(byText), cells.sort(byText));
  const details = await assertDetails(page, items);
  return rows.length * 6 + details;
}

function modeIn({ mode, rollout }: PolicyView, isPending: boolean): Mode {
  return rollout && isPending ? rollout.meanwhile : mode;
}

const EFFECTS = { Enforce: 'Refused', Warn: 'Warned', Audit: 'Audited' } as const;

/**
 * Checks the details of each workload on the page. The rules, messages and fields must equal the output of `cappol
 * check`.
 */
async function assertDetails(page: Page, items: readonly CheckedItem[]): Promise<number> {
  let cells = 0;
  for (const { namespace, kind, name, violations, verdict } of items.filter((item) => item.verdict !== 'Compliant')) {
    assert.notEqual(verdict, 'NotSelected');
    const workload = encodeURIComponent(`${namespace}/${kind}/${name}`);
    await page.evaluate(`location.hash = '#/violations?workload=${workload}'`);
    await page.locator('table.broken').waitFor();
    await settled(page, 50);
    const rows = await tableRows(page.locator('table.broken'));
    const said = rows.map(({ Rule, Violation, Field = '' }) => `${Rule}: ${Violation}: ${Field}`);
    const merged = mergeViolations(violations).map(({ first: { rule, path }, message }) => ({
      rule,
      path,
      message,
    }));
    for (const { rule, path, message } of merged) {
      const isSaid = rows.some(
        (row) =>
          row.Rule === rule &&
          row.Violation?.startsWith(message.split(' (allowed')[0] ?? '') &&
          path.endsWith(row.Field ?? ''),
      );
      assert.ok(isSaid, `${kind} ${name}: ${rule}: ${message}: ${path} is not among\n${said.join('\n')}`);
    }
    assert.ok(rows.length >= merged.length);
    cells += merged.length * 3;
  }
  return cells;
}

function named(text = ''): string[] {
  return text === '' ? [] : text.split(', ');
}

function listed(names: readonly string[]): string {
  return [...names].sort().join(', ');
}

function byText(a: RowText, b: RowText): number {
  return JSON.stringify(a) < JSON.stringify(b) ? -1 : 1;
}
