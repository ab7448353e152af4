/** Tests of one file that run at the same time, because each mostly waits for Argo CD. */

export interface Scenario {
  readonly title: string;
  readonly run: () => Promise<void>;
}

/**
 * Call it in a describe, after the hooks that the scenarios need. Each is a separate test, and all start before the
 * first. ARGOCD_ONLY, a regular expression, skips the others; mocha's --grep would still start them all.
 */
export function sideBySide(all: readonly Scenario[]): void {
  const only = new RegExp(process.env.ARGOCD_ONLY ?? '');
  const scenarios = all.filter(({ title }) => only.test(title));
  let running: ReadonlyMap<string, Promise<void>>;

  before(() => {
    running = new Map(scenarios.map(({ title, run }) => [title, run()]));
    // Each test has its own.
    for (const one of running.values()) one.catch(() => {});
  });

  for (const { title } of scenarios) {
    it(title, async () => {
      await running.get(title);
    });
  }
}
