/** Tests the numbers in the overview in a real Chromium. Also tests the views to which the numbers link. */
import assert from 'node:assert/strict';
import type { Snapshot } from '../../analysis/snapshot/document.ts';
import { restoreCluster } from '../../analysis/snapshot/restore.ts';
import { statusView } from '../../cli/commands/status/view.ts';
import { acceptedStateOf } from '../../cli/live.ts';
import { Evaluator } from '../../operator/evaluate/violations.ts';
import { CHROMIUM, type Locator, type OpenOptions, type Page, seriousProblems } from '../support/browser.ts';
import { largeCluster } from '../support/large-cluster.ts';
import { describeWith } from '../support/needs.ts';
import { settledSnapshot } from '../support/settled-snapshot.ts';
import { ALL_RIGHTS } from '../support/snapshots.ts';
import { usePage } from '../support/tested-page.ts';
import { goTo } from '../support/views-of-page.ts';

async function textOf(locator: Locator): Promise<string> {
  return (await locator.textContent()) ?? '';
}

describeWith(CHROMIUM, 'the overview in the page', () => {
  let snapshots: readonly [Snapshot, Snapshot];
  const pages = usePage(() => {
    snapshots = [
      settledSnapshot(largeCluster({ pods: 900, namespaces: 60, shapes: 30, policies: 40 }), 'one'),
      settledSnapshot(largeCluster({ pods: 40, namespaces: 6, shapes: 10, policies: 3 }), 'two'),
    ];
    return [snapshots[0]];
  });

  async function open(options: OpenOptions = {}, url = pages.url): Promise<Page> {
    const { page } = await pages.open(url, options);
    await page.locator('.summary').first().waitFor();
    return page;
  }

  function part(page: Page, title: string) {
    return page.locator('.overview-section').filter({ has: page.getByRole('heading', { name: title, exact: true }) });
  }

  /** The rows of a table. Each row is a heading with a number. */
  async function numbersIn(page: Page, title: string): Promise<[string, number][]> {
    const rows = await part(page, title).locator('tbody tr').all();
    return Promise.all(
      rows.map(async (row): Promise<[string, number]> => {
        const number = await textOf(row.locator('.number'));
        return [(await textOf(row.locator('th'))).trim(), Number(number.replaceAll(',', ''))];
      }),
    );
  }

  it('has the numbers of cappol status', async () => {
    const page = await open();
    const [{ operatorNamespace, excludedNamespaces, taken }] = snapshots;
    const cluster = restoreCluster(snapshots[0]);
    const state = acceptedStateOf(cluster, ALL_RIGHTS, {
      operatorNamespace,
      excludedNamespaces,
      at: Date.parse(taken),
    });
    const protection = { status: 'Unknown', message: '' } as const;
    const { policies } = statusView({ cluster, state, ...ALL_RIGHTS, protection }, new Evaluator());
    const all = policies.flatMap(({ violations }) => violations).filter(({ verdict }) => verdict === 'Violating');
    const workloads = (some: typeof all) =>
      new Set(some.map(({ namespace, kind, name }) => `${namespace}/${kind}/${name}`)).size;
    const notReady = policies.filter(
      ({ conditions }) => conditions.find(({ type }) => type === 'Ready')?.status !== 'True',
    );
    const namespaces = new Set(all.map(({ namespace }) => namespace)).size;
    assert.equal(
      await textOf(page.locator('.summary')),
      `${policies.length} policies, ${notReady.length} not ready: ${workloads(all)} workloads in ${namespaces} namespaces violate.`,
    );
    for (const [rule, count] of await numbersIn(page, 'Violated rules')) {
      assert.equal(count, workloads(all.filter((one) => one.rule === rule)), rule);
    }
    for (const [namespace, count] of await numbersIn(page, 'Namespaces with violations')) {
      assert.equal(count, workloads(all.filter((one) => one.namespace === namespace)), namespace);
    }
    const rollout = policies.find((policy) => (policy.rollout?.soaking ?? 0) + (policy.rollout?.blocked ?? 0) > 0);
    assert.ok(rollout?.rollout);
    const [enforced, total] = rollout.rollout.progress?.split('/') ?? [];
    await part(page, 'Rollouts').getByText(`${enforced} of ${total} namespaces`).first().waitFor();
  });

  it('each state of namespaces leads to the namespaces in this state in the map', async () => {
    const page = await open();
    const states = await numbersIn(page, 'Namespaces');
    assert.equal(
      states.reduce((sum, [, count]) => sum + count, 0),
      60,
    );
    for (const [index, [state, count]] of states.entries()) {
      await part(page, 'Namespaces').locator('tbody a').nth(index).click();
      const counts = page.locator('.count');
      await counts.waitFor();
      assert.match(await textOf(counts), new RegExp(` in ${count} namespaces?$`), state);
      await page.goBack();
    }
  });

  it('each capability in use leads to the workloads with this capability in the map', async () => {
    const page = await open();
    const inUse = await numbersIn(page, 'Riskiest capabilities in use');
    assert.ok(inUse.length > 2);
    for (const [index, [capability, count]] of inUse.entries()) {
      await part(page, 'Riskiest capabilities in use').locator('tbody a').nth(index).click();
      const counts = page.locator('.count');
      await counts.waitFor();
      assert.match(await textOf(counts), new RegExp(`^${count} workloads? in`), capability);
      await page.goBack();
    }
  });

  it('names the policy that is not accepted, with the reason', async () => {
    const page = await open();
    const remarks = part(page, 'To look at');
    await remarks.getByRole('link', { name: 'refused' }).first().waitFor();
    await remarks.getByText(/Accepted is False \(VersionTooNew\): spec\.levelVersion/).waitFor();
  });

  it('shows several clusters side by side, and each cluster has its own links', async () => {
    const page = await open({ width: 1440 }, pages.fileOf(snapshots));
    const [first, second] = await Promise.all(
      [0, 1].map((index) => page.locator('.cluster-overview').nth(index).boundingBox()),
    );
    assert.ok(first && second && second.x >= first.x + first.width);
    const link = page.locator('.cluster-overview').nth(1).locator('.states a').first();
    assert.match((await link.getAttribute('href')) ?? '', /cluster=two/);
    assert.deepEqual(await seriousProblems(page), []);
  });

  it('shows the beginning of a long message, and the whole message after a click', async () => {
    const [whole] = snapshots;
    const long = `no: ${'field.that.is.wrong '.repeat(2_000)}`;
    const condition = {
      type: 'Accepted',
      status: 'False',
      reason: 'InvalidSpec',
      message: long,
      observedGeneration: 1,
    };
    const policies = whole.policies.map((policy, index) =>
      index === 0 ? { ...policy, status: { conditions: [{ ...condition, lastTransitionTime: whole.taken }] } } : policy,
    );
    const page = await open({}, pages.fileOf([{ ...whole, policies } as unknown as Snapshot]));
    const remarks = part(page, 'To look at');
    assert.ok((await textOf(remarks)).length < 5_000);
    await remarks.getByRole('button', { name: 'Show all' }).click();
    await remarks.getByText(long.trim()).waitFor();
    await remarks.getByRole('button', { name: 'Show less' }).click();
    assert.ok((await textOf(remarks)).length < 5_000);
  });

  it('says which objects could not be read, and shows no unknown numbers', async () => {
    const text =
      'you may not list pods: only the violations that the operator reported last are known, not all violations';
    const [whole] = snapshots;
    const namespaces = whole.namespaces.map((one) => ({
      ...one,
      reached: false,
      deciding: {},
      verdicts: [],
      pods: [],
    }));
    const page = await open({}, pages.fileOf([{ ...whole, namespaces, missing: [text] }]));
    await page.getByText(text).waitFor();
    assert.match(await textOf(page.locator('.summary')), /workloads could not be read/);
    assert.equal(await part(page, 'Violated rules').count(), 0);
    assert.match(await textOf(part(page, 'Namespaces')), /not known/);
  });

  for (const colorScheme of ['light', 'dark'] as const) {
    it(`has nothing that axe calls serious, ${colorScheme}`, async () => {
      const page = await open({ colorScheme });
      assert.deepEqual(await seriousProblems(page), []);
    });
  }

  it('fits a window of 700 pixels', async () => {
    const page = await open({ width: 700 });
    assert.equal(await page.evaluate('document.documentElement.scrollWidth'), 700);
    await goTo(page, { name: 'capabilities', title: 'Capabilities' });
  });
});
