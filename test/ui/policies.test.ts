/** Tests the view of the policies, and the page of a single policy. */
import assert from 'node:assert/strict';
import type { Snapshot } from '../../analysis/snapshot/document.ts';
import { policyRows } from '../../ui/model/policy-list.ts';
import { STATE_WORDS, selectionState, whyText } from '../../ui/model/selection-words.ts';
import { createAnswers } from '../../ui/worker/answers.ts';
import { CHROMIUM, type Locator } from '../support/browser.ts';
import { longest, mainThreadTasks } from '../support/browser-trace.ts';
import { largeCluster } from '../support/large-cluster.ts';
import { describeWith } from '../support/needs.ts';
import { policy } from '../support/policies.ts';
import { settledSnapshot } from '../support/settled-snapshot.ts';
import { takenSnapshot } from '../support/snapshots.ts';
import { usePage } from '../support/tested-page.ts';
import { clusterOf, wholeCluster } from '../support/views.ts';
import { settled } from '../support/views-of-page.ts';

const SIZES = { pods: 1_200, namespaces: 400, shapes: 30, policies: 20 };
/** A policy that selects every namespace, and decides in every namespace. */
const EVERYWHERE = 'restricted-everywhere';
/** An overridden policy. The other policies of the team have a higher priority than this policy. */
const OVERRIDDEN = 'team-00-restricted';

describeWith(CHROMIUM, 'the view of the policies', () => {
  let snapshot: Snapshot;
  const answers = createAnswers();
  const pages = usePage(() => {
    snapshot = settledSnapshot(largeCluster(SIZES));
    answers.load(snapshot);
    return [snapshot];
  });

  async function open(address: string) {
    const { page } = await pages.open(`${pages.url}#${address}`);
    await page.getByText('Kubernetes v1').waitFor();
    await settled(page);
    return page;
  }

  /** Opens the page of a policy, and waits for the worker. Most of the page comes from the worker. */
  async function openPolicy(name: string, more = '') {
    const page = await open(`/policies?policy=${name}${more}`);
    await page.getByRole('heading', { name: 'Rendered objects' }).waitFor();
    return page;
  }

  it('lists each policy with the state of the policy, and with the numbers of `cappol status`', async () => {
    const page = await open('/policies');
    const rows = await page.locator('table.policies tbody tr:not(.findings-row)').all();
    const shown = await Promise.all(rows.map((row) => row.locator('th, td').allInnerTexts()));
    assert.deepEqual(
      shown.map(([name, state, mode, , , , , violating]) => [name, state?.trim(), mode?.trim(), violating?.trim()]),
      policyRows(snapshot).map(({ policy, state, workloads }) => [
        policy.name,
        state.word,
        policy.spec.mode,
        [workloads.violating, ...(workloads.unknown > 0 ? [`+${workloads.unknown} unknown`] : [])].join(' '),
      ]),
    );
  });

  it('keeps the filter in the address', async () => {
    const page = await open('/policies');
    await page.getByRole('searchbox', { name: 'Filter' }).fill('rollout');
    await page.waitForURL(/text=rollout/);
    await settled(page);
    const expected = snapshot.policies.map(({ name }) => name).filter((name) => name.includes('rollout'));
    assert.ok(expected.length > 1);
    assert.deepEqual(await page.locator('table.policies tbody th').allInnerTexts(), expected);
    await page.reload();
    await settled(page);
    assert.deepEqual(await page.locator('table.policies tbody th').allInnerTexts(), expected);
  });

  it('lists the grants that no workload needs', async () => {
    const unused = snapshot.policies.filter(({ status }) => (status.unusedGrants ?? []).length > 0);
    const used = snapshot.policies.find(({ status }) => !status.unusedGrants);
    assert.ok(unused[0] && used);
    const page = await openPolicy(unused[0].name);
    const section = page.locator('section', { has: page.getByRole('heading', { name: 'Unused grants' }) });
    const rows = await section.locator('tbody tr').all();
    const shown = await Promise.all(rows.map(async (row) => (await row.locator('th, td').allInnerTexts()).slice(0, 2)));
    assert.deepEqual(
      shown,
      (unused[0].status.unusedGrants ?? []).map(({ path, entry = '' }) => [
        path === 'spec' ? 'the whole exception' : path,
        entry,
      ]),
    );
    const other = await openPolicy(used.name);
    assert.equal(await other.getByRole('heading', { name: 'Unused grants' }).count(), 0);
  });

  it('says for each namespace whether the policy decides in the namespace, and why', async () => {
    for (const name of [EVERYWHERE, OVERRIDDEN]) {
      const page = await openPolicy(name);
      const { selected } = answers.policy({ policy: name });
      const priority = snapshot.policies.find((policy) => policy.name === name)?.spec.priority ?? 0;
      const rows = await page.locator('.selected-namespaces .row').all();
      assert.ok(rows.length > 0 && rows.length < 60, `${rows.length} rows are in the document`);
      for (const row of rows) {
        const one = selected[Number(await row.getAttribute('aria-rowindex')) - 2];
        assert.ok(one);
        assert.deepEqual((await row.locator('> *').allInnerTexts()).slice(0, 3), [
          one.namespace,
          STATE_WORDS[selectionState(one)],
          whyText(one, priority),
        ]);
      }
      if (name === OVERRIDDEN)
        await page.locator('.selected-namespaces').getByText('Another one decides').first().waitFor();
    }
  });

  it('the address names the shown policy, and filters the list of namespaces', async () => {
    const { selected } = answers.policy({ policy: EVERYWHERE });
    const wanted = selected.filter(({ namespace }) => namespace.includes('team-01'));
    const page = await openPolicy(EVERYWHERE, '&namespace=team-01&decision=decides');
    assert.equal(await page.locator('.selected-namespaces').getAttribute('aria-rowcount'), `${wanted.length + 1}`);
  });

  it('shows the conditions with the summary first', async () => {
    const page = await openPolicy(EVERYWHERE);
    const types = await page.locator('.conditions tbody th').allInnerTexts();
    assert.deepEqual(types.slice(0, 3), ['Ready', 'Accepted', 'Programmed']);
  });

  it('shows the text of each rule below the name of the rule', async () => {
    const page = await openPolicy(EVERYWHERE);
    const { rules } = answers.rendered({ policy: EVERYWHERE });
    const rule = rules.find((one) => one.rule === 'allowPrivilegeEscalation');
    assert.ok(rule);
    const fold = page.locator('details', { has: page.locator('summary', { hasText: rule.title }) }).last();
    assert.equal(await fold.locator('pre').count(), 0);
    await fold.locator('summary').click();
    await fold.locator('pre').first().waitFor();
    assert.deepEqual(
      await fold.locator('pre').allTextContents(),
      rule.checks.flatMap(({ violates, message }) => [violates, message]),
    );
    await fold.getByText('CIS Kubernetes Benchmark').waitFor();
  });

  it('shows the rows of the policy, and below each row the columns of the level', async () => {
    const page = await openPolicy(EVERYWHERE);
    const { rows } = answers.rendered({ policy: EVERYWHERE });
    const shown = page.locator('.policy-row');
    assert.equal(await shown.count(), rows.length);
    for (const [index, { programs, row, level }] of rows.entries()) {
      const figure = shown.nth(index);
      assert.equal(await figure.locator('figcaption').textContent(), `In ${programs.join(', ')}`);
      assert.deepEqual(await columnsIn(figure), written(row));
      const fold = figure.locator('details');
      assert.equal(await fold.count(), Object.keys(level).length > 0 ? 1 : 0);
      if ((await fold.count()) === 0) continue;
      await fold.locator('summary').click();
      await fold.locator('dl').waitFor();
      assert.deepEqual(await columnsIn(fold), written(level));
    }
  });

  it('shows each text of a program below the name of the text', async () => {
    const page = await openPolicy(EVERYWHERE);
    const { programs } = answers.rendered({ policy: EVERYWHERE });
    const { manifest } = programs.find(({ manifest: { metadata } }) => metadata.name === 'capabilitypolicy.warn') ?? {};
    const { variables = [] } = (manifest?.spec ?? {}) as {
      readonly variables?: readonly { readonly name: string; readonly expression: string }[];
    };
    assert.ok(variables.length > 20);
    const program = page.locator('details', { hasText: 'ValidatingAdmissionPolicy capabilitypolicy.warn' }).first();
    await program.locator('summary').first().click();
    for (const name of ['deciding', 'complying']) {
      const fold = program.locator('details', { has: page.getByText(`variable ${name}`, { exact: true }) });
      await fold.locator('summary').click();
      const expected = variables.find((variable) => variable.name === name)?.expression;
      assert.equal(await fold.locator('pre').textContent(), expected);
    }
  });

  it('the keyboard leads from a namespace to the violating workloads in the namespace', async () => {
    const page = await openPolicy(EVERYWHERE);
    await page.locator('.selected-namespaces .row[tabindex="0"]').focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.waitForURL(/#\/violations\?namespace=/);
    const second = answers.policy({ policy: EVERYWHERE }).selected[1]?.namespace;
    assert.equal(new URL(page.url()).hash, `#/violations?namespace=${second}`);
  });

  it('if the address names an unknown policy, the page says that the cluster has no such policy', async () => {
    const page = await open('/policies?policy=nobody');
    await page.getByText('The cluster has no policy nobody.').waitFor();
  });
});

/** The columns of the first list. Each column is a pair of a name and a value. */
function columnsIn(one: Locator): Promise<string[][]> {
  return one
    .locator('dl')
    .first()
    .evaluate((list) => {
      const texts = (selector: string) => [...list.querySelectorAll(selector)].map(({ textContent }) => textContent);
      const values = texts('dd');
      return texts('dt').map((column, index) => [column, values[index] ?? '']);
    });
}

function written(row: Readonly<Record<string, readonly string[]>>): string[][] {
  return Object.entries(row).map(([column, values]) => [
    column,
    values.map((value) => value || '""').join(', ') || 'none',
  ]);
}

/** A very large number of exceptions. Clusters have fewer exceptions today. */
const MANY = 1_000;
const MOST_FOR_TASK = 250;

describeWith(CHROMIUM, `a policy beside ${MANY.toLocaleString('en')} others in the page`, () => {
  const exceptions = Array.from({ length: MANY }, (_, i) =>
    policy(`exception-${i}`, {
      namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': `shop-${i}` } },
      priority: 1,
      overrides: { capabilities: { allowedAdd: ['NET_RAW', 'SYS_TIME'] } },
    }),
  );
  const pages = usePage(() => [takenSnapshot(wholeCluster(clusterOf([], []), [policy('all'), ...exceptions], []))]);

  it(`has the table of all without a task of more than ${MOST_FOR_TASK} ms of CPU, and its own row first`, async () => {
    const { page } = await pages.open(`${pages.url}#/policies?policy=exception-512`);
    await page.getByRole('heading', { name: 'Rendered objects' }).waitFor();
    await settled(page);
    const program = page.locator('details', { hasText: 'ValidatingAdmissionPolicy capabilitypolicy.enforce' }).first();
    const table = program.locator('details', { has: page.getByText(/^variable policies\d*$/) });
    const tasks = await mainThreadTasks(pages.browser, page, async () => {
      await program.locator('summary').first().click();
      await table.first().waitFor();
      for (const fold of await table.all()) {
        await fold.locator('summary').first().click();
        await fold.getByText(/^All [\d,]+ lines$/).click();
      }
      await settled(page);
    });
    const own = await table.locator('pre.cel').allTextContents();
    assert.equal(own.filter((text) => text.includes('"name":["exception-512"]')).length, 1);
    assert.ok(own.join('\n').split('\n').length < 20, own.join('\n'));
    const whole = await table.locator('.code pre').allTextContents();
    assert.equal(whole.join('\n').match(/"name":\["exception-/g)?.length, MANY);
    assert.ok(longest(tasks).cpu < MOST_FOR_TASK, `${longest(tasks).cpu} ms`);
  });
});
