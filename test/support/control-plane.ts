/** One control plane for all integration tests of a mocha run. */
import { rmSync } from 'node:fs';
import { type ControlPlane, startControlPlane } from '../../hack/controlplane/controlplane.ts';

let started: Promise<ControlPlane> | undefined;
const endings: (() => Promise<void>)[] = [];

/**
 * CAPABILITYPOLICY_TEST_PROTECTED=1 has its API server read what `cappol render --static` writes: everything that the
 * operator does must still work. Tests that change the operator's objects by hand are refused then.
 */
export const PROTECTED = process.env.CAPABILITYPOLICY_TEST_PROTECTED === '1';

/** Starts it at the first call; tests share it, so each creates its own namespaces. */
export function sharedControlPlane(): Promise<ControlPlane> {
  started ??= PROTECTED ? startProtected() : startControlPlane({ quiet: true });
  return started;
}

async function startProtected(): Promise<ControlPlane> {
  const { startWithStatic } = await import('./protected.ts');
  const { controlPlane, directory } = await startWithStatic();
  atTheEnd(async () => rmSync(directory, { recursive: true, force: true }));
  return controlPlane;
}

/** For other things that the files of a mocha run share: called once, after all tests. */
export function atTheEnd(stop: () => Promise<void>): void {
  endings.push(stop);
}

/** Hooks that mocha runs after all tests: .mocharc.json requires this file. */
export const mochaHooks = {
  async afterAll(): Promise<void> {
    for (const stop of endings) await stop();
    const controlPlane = await started?.catch(() => undefined);
    await controlPlane?.stop();
  },
};
