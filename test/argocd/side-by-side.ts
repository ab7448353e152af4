/** Tests of one file that run at the same time: each waits for Argo CD most of the while. */

export interface Scenario {
  readonly title: string;
  readonly run: () => Promise<void>;
}

/**
 * Call it in a describe, after the hooks that the scenarios need. Each is a test of its own, and all begin before the first.
 * ARGOCD_ONLY, a regular expression, leaves the others out: mocha's --grep would start them all the same.
 */
export function sideBySide(all: readonly Scenario[]): void {
  const only = new RegExp(process.env.ARGOCD_ONLY ?? '');
  const scenarios = all.filter(({ title }) => only.test(title));
  let running: ReadonlyMap<string, Promise<void>>;

  before(() => {
    running = new Map(scenarios.map(({ title, run }) => [title, run()]));
    // Each test looks at its own.
    for (const one of running.values()) one.catch(() => {});
  });

  for (const { title } of scenarios) {
    it(title, async () => {
      await running.get(title);
    });
  }
}
