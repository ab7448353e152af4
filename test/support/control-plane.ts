/** One control plane for all integration tests of a mocha run. */
import { type ControlPlane, startControlPlane } from '../../hack/controlplane/controlplane.ts';
import { assertNoneRefused } from './own-writes.ts';

let started: Promise<ControlPlane> | undefined;
const endings: (() => Promise<void>)[] = [];

/**
 * CAPABILITYPOLICY_TEST_PROTECTED=1 has its API server read what `cappol render --static` writes, for `npm run
 * test:protected`: everything that the operator does must still work.
 */
export const PROTECTED = process.env.CAPABILITYPOLICY_TEST_PROTECTED === '1';

/** Starts the control plane at the first call. Tests share it, so each creates its own namespaces. */
export function sharedControlPlane(): Promise<ControlPlane> {
  started ??= PROTECTED ? startProtected() : startControlPlane({ quiet: true });
  return started;
}

/** Once all tests have run, an operator's write that the protection refused is a failure. */
async function startProtected(): Promise<ControlPlane> {
  const { startAudited } = await import('./protected.ts');
  const { controlPlane, audit, stop } = await startAudited();
  atTheEnd(async () => {
    try {
      console.log(assertNoneRefused(audit.events()));
    } finally {
      await stop();
    }
  });
  return controlPlane;
}

/** For other objects that the files of a mocha run share: called once, after all tests. */
export function atTheEnd(stop: () => Promise<void>): void {
  endings.push(stop);
}

/** Hooks that mocha runs after all tests: .mocharc.json requires this file. */
export const mochaHooks = {
  async afterAll(): Promise<void> {
    try {
      for (const stop of endings) await stop();
    } finally {
      const controlPlane = await started?.catch(() => undefined);
      await controlPlane?.stop();
    }
  },
};
