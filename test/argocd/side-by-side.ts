/** Runs tests of one file at the same time, because each test mostly waits for Argo CD. */

export interface Scenario {
  readonly title: string;
  readonly run: () => Promise<void>;
}

/**
 * Declares each scenario as a separate test. All scenarios start before the first test runs. Call this function in a
 * `describe`, after the hooks that the scenarios need. The environment variable ARGOCD_ONLY is a regular expression
 * that selects the scenarios to start. If mocha's --grep selected the tests instead, all scenarios would still start.
 */
export function sideBySide(all: readonly Scenario[]): void {
  const only = new RegExp(process.env.ARGOCD_ONLY ?? '');
  const scenarios = all.filter(({ title }) => only.test(title));
  let running: ReadonlyMap<string, Promise<void>>;

  before(() => {
    running = new Map(scenarios.map(({ title, run }) => [title, run()]));
    // If a scenario fails, the test of the scenario reports the error.
    for (const one of running.values()) one.catch(() => {});
  });

  for (const { title } of scenarios) {
    it(title, async () => {
      await running.get(title);
    });
  }
}
