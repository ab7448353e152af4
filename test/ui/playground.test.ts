/**
 * Tests the playground in a real Chromium: typing, markers, completion, links, keyboard, and changes in the cluster.
 */
import assert from 'node:assert/strict';
import { snapshotOf } from '../../cli/commands/snapshot/run.ts';
import { CHROMIUM, type OpenOptions, type Page, seriousProblems } from '../support/browser.ts';
import { editor, markedLines, replace, textOf } from '../support/editors.ts';
import { describeWith } from '../support/needs.ts';
import { baselinePolicy } from '../support/policies.ts';
import { ALL_RIGHTS } from '../support/snapshots.ts';
import { usePage } from '../support/tested-page.ts';
import { clusterOf, ownedBy, wholeCluster, workloadView } from '../support/views.ts';
import { settled } from '../support/views-of-page.ts';

const VIEW = '#/playground';

describeWith(CHROMIUM, 'the playground', () => {
  const pages = usePage();

  async function open(fragment = VIEW, options: OpenOptions = {}, url = pages.url): Promise<Page> {
    const { page } = await pages.open(url + fragment, options);
    await page.locator('.play-item').first().waitFor();
    return page;
  }

  it('the verdict and the marked lines change while somebody types', async () => {
    const page = await open();
    await verdict(page, 'Pod default/bad', 'Refused');
    assert.deepEqual(await markedLines(page, 'Pods'), ['add: [NET_ADMIN]']);
    await replace(page, 'Pods', POD.replace('NAME', 'a').replace('ADD', 'NET_RAW'));
    await verdict(page, 'Pod default/a', 'Admitted');
    assert.deepEqual(await markedLines(page, 'Pods'), []);
    await replace(page, 'Pods', POD.replace('NAME', 'a').replace('ADD', 'SYS_ADMIN'));
    await verdict(page, 'Pod default/a', 'Refused');
    assert.deepEqual(await markedLines(page, 'Pods'), ['add: [SYS_ADMIN]']);
    await page.getByRole('button', { name: 'line 11', exact: true }).click();
    assert.equal(await editor(page, 'Pods').evaluate((element) => element.matches(':focus')), true);
  });

  it('typed text replaces a selection, and the page uses no style that its Content Security Policy refuses', async () => {
    const page = await open();
    const text = editor(page, 'Policies');
    await text.click();
    await page.keyboard.press('Control+Home');
    // The selection begins in a coloured part of the text, and ends some lines below in another coloured part.
    for (let count = 0; count < 200; count++) await page.keyboard.press('Shift+ArrowRight');
    await page.keyboard.press('x');
    assert.match((await text.textContent()) ?? '', /^x/);
    await page.keyboard.press('Control+a');
    await page.keyboard.press('y');
    assert.equal(await text.textContent(), 'y');
    await page.keyboard.press('Control+z');
    assert.match((await text.textContent()) ?? '', /^x/);
  });

  it('marks a problem of the policy at the line of the problem, with the message of cappol', async () => {
    const page = await open();
    await replace(page, 'Policies', POLICY.replace('restricted', 'restrictd'));
    await page.getByText('spec.level').first().waitFor();
    assert.deepEqual(await markedLines(page, 'Policies'), ['level: restrictd']);
  });

  it('completes fields and values, and explains the fields and values', async () => {
    const page = await open();
    await replace(page, 'Policies', `${POLICY}  mod`);
    await page.getByRole('option', { name: /^mode/ }).waitFor();
    await accept(page);
    await page.getByRole('option', { name: /^Warn/ }).waitFor();
    await page.keyboard.type('Enf');
    await page.getByRole('option', { name: /^Warn/ }).waitFor({ state: 'detached' });
    await accept(page);
    assert.match(await textOf(page, 'Policies'), / {2}mode: Enforce$/);
    await editor(page, 'Policies').getByText('mode', { exact: true }).hover();
    await page.locator('.help b').getByText('mode: Audit or Warn or Enforce').waitFor();
  });

  it('opens a link with the texts of another page, and reports a damaged link as damaged', async () => {
    const first = await open();
    await replace(first, 'Policies', `${POLICY}# mine`);
    await first.waitForURL(/play=/);
    const link = first.url().slice(pages.url.length);
    const second = await open(link);
    await editor(second, 'Policies').getByText('# mine').waitFor();
    const damaged = await open(link.slice(0, -10));
    await damaged.getByRole('alert').getByText('This link is damaged').waitFor();
    await verdict(damaged, 'Pod default/bad', 'Refused');
  });

  it('loads an example, and has no serious accessibility problem in either theme, in wide and narrow windows', async () => {
    for (const options of [{}, { colorScheme: 'dark', width: 500 } as const]) {
      const page = await open(VIEW, options);
      await page.getByLabel('Example').selectOption({ label: 'Level restricted' });
      await page.getByText('runAsNonRoot').first().waitFor();
      assert.deepEqual(await seriousProblems(page), []);
      const width = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
      assert.ok(width <= 0, `${width} pixels too wide`);
    }
  });

  it('leaves an editor by Escape and Tab', async () => {
    const page = await open();
    await editor(page, 'Policies').focus();
    await page.keyboard.press('Tab');
    assert.equal(await editor(page, 'Policies').evaluate((element) => element.matches(':focus')), true);
    await page.keyboard.press('Escape');
    await page.keyboard.press('Tab');
    assert.equal(await editor(page, 'Policies').evaluate((element) => element.matches(':focus')), false);
  });

  it('begins with texts of the cluster, and says what the policies would change in the cluster', async () => {
    const page = await open(VIEW, {}, pages.fileOf([snapshot()]));
    await page.getByLabel('Policy of the cluster').selectOption('live');
    await editor(page, 'Policies').getByText('level: baseline').waitFor();
    await page.getByText('Nothing changes for the 1 workload').waitFor();
    await page.getByLabel('Pod of the cluster').selectOption({ label: 'net/web (Deployment)' });
    await editor(page, 'Pods').getByText('namespace: net').waitFor();
    await verdict(page, 'Pod net/web', 'Admitted');
    await replace(page, 'Policies', `${POLICY.replace('mine', 'live')}  mode: Enforce`);
    await page.getByText('1 newly refused').waitFor();
    const row = await page.getByRole('row').nth(1).textContent();
    assert.match(row ?? '', /^netDeployment webAdmittedRefused/);
    assert.deepEqual(await seriousProblems(page), []);
  });

  it('says why pods are refused today, and that other policies perhaps refuse them', async () => {
    const { page } = await pages.open(`${pages.fileOf([snapshot({ refused: true })])}#/violations`);
    const first = page.locator('.violations .row').first();
    await first.getByText('Deployment web').click();
    const why = 'the API server refuses the pods with container "istio-init" that the template lacks';
    await page.getByText(why).first().waitFor();
    const shown = await open(VIEW, {}, pages.fileOf([snapshot({ refused: true })]));
    await shown.getByLabel('Policy of the cluster').selectOption('live');
    await shown.getByText('Nothing changes for the 1 workload').waitFor();
    await replace(
      shown,
      'Policies',
      `${POLICY.replace('mine', 'live').replace('restricted', 'baseline')}  mode: Enforce\n  priority: 1`,
    );
    await shown.getByText('1 perhaps refused').waitFor();
    const row = await shown.getByRole('row').nth(1).textContent();
    assert.match(row ?? '', /^netDeployment webRefused/);
    assert.match(row ?? '', /not known whether it refuses them with these policies/);
  });
});

/**
 * A Deployment that the level restricted refuses.
 *
 * @param refused whether an API server refuses its pods today, because of an injected container
 */
function snapshot({ refused = false } = {}) {
  const message = 'CapabilityPolicy live: capabilities: container "istio-init" must not add capability NET_ADMIN';
  const set = workloadView('ReplicaSet', 'web-1', {
    ...ownedBy('Deployment', 'web'),
    refused: { by: 'Program', message, at: 1 },
  });
  const namespace = { name: 'net', uid: 'net', labels: { team: 'net' }, terminating: false, labelOwners: {} };
  const cluster = wholeCluster(
    clusterOf([workloadView('Deployment', 'web'), ...(refused ? [set] : [])]),
    [baselinePolicy('live', { mode: 'Enforce' })],
    [namespace],
  );
  const options = { operatorNamespace: 'capabilitypolicy-system', excludedNamespaces: ['kube-system'], context: 'one' };
  return snapshotOf(cluster, ALL_RIGHTS, options);
}

const POLICY = `apiVersion: capabilitypolicy.dev/v1alpha1
kind: CapabilityPolicy
metadata: {name: mine}
spec:
  namespaceSelector: {}
  level: restricted
`;

const POD = `apiVersion: v1
kind: Pod
metadata: {name: NAME}
spec:
  securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
  containers:
  - name: a
    securityContext:
      allowPrivilegeEscalation: false
      capabilities:
        add: [ADD]
        drop: [ALL]
`;

/**
 * Presses Enter after a wait. An editor ignores Enter for 75 ms after its choices have changed, because the user may
 * not have read the new choices.
 */
async function accept(page: Page): Promise<void> {
  await settled(page);
  await page.keyboard.press('Enter');
}

async function verdict(page: Page, name: string, effect: string): Promise<void> {
  await page.locator('.play-item', { hasText: name }).filter({ hasText: effect }).waitFor();
}
