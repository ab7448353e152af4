/** Starts one control plane for all integration tests of a mocha run. */
import { type ControlPlane, startControlPlane } from '../../hack/controlplane/controlplane.ts';
import { ALPHA_FLAGS } from './alpha.ts';
import { assertNoneRefused } from './own-writes.ts';

let started: Promise<ControlPlane> | undefined;
const endings: (() => Promise<void>)[] = [];

/**
 * Whether the API server reads the files that `cappol render --static` writes. CAPABILITYPOLICY_TEST_PROTECTED=1 makes
 * the API server read the files. The command `npm run test:protected` sets this variable. With these files, all
 * functions of the operator must work as before.
 */
export const PROTECTED = process.env.CAPABILITYPOLICY_TEST_PROTECTED === '1';

/**
 * Starts the control plane at the first call. Tests share the control plane, so each test creates its own namespaces.
 */
export function sharedControlPlane(): Promise<ControlPlane> {
  started ??= PROTECTED ? startProtected() : startControlPlane({ quiet: true, apiServerFlags: ALPHA_FLAGS });
  return started;
}

/**
 * Starts a control plane with the protection. After all tests, the run fails if the protection refused a write of an
 * operator.
 */
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

/**
 * Registers a function that is called once, after all tests. The function stops a resource that all test files of a
 * mocha run share.
 */
export function atTheEnd(stop: () => Promise<void>): void {
  endings.push(stop);
}

/** Hooks that mocha runs after all tests. The hooks work because .mocharc.json requires this file. */
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
