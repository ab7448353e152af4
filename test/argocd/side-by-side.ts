/** Tests of one file that run at the same time, because each mostly waits for Argo CD. */

export interface Scenario {
  readonly title: string;
  readonly run: () => Promise<void>;
}

/**
 * Call it in a describe, after the hooks that the scenarios need. Each scenario is a separate test, and all of them start
 * before the first test runs. ARGOCD_ONLY, a regular expression, skips other scenarios; mocha's --grep would still start
 * them.
 */
export function sideBySide(all: readonly Scenario[]): void {
  const only = new RegExp(process.env.ARGOCD_ONLY ?? '');
  const scenarios = all.filter(({ title }) => only.test(title));
  let running: ReadonlyMap<string, Promise<void>>;

  before(() => {
    running = new Map(scenarios.map(({ title, run }) => [title, run()]));
    // The test of each scenario reports that scenario's error.
    for (const one of running.values()) one.catch(() => {});
  });

  for (const { title } of scenarios) {
    it(title, async () => {
      await running.get(title);
    });
  }
}
