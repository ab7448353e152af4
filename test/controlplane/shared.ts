/** One control plane for all integration tests of a mocha run. */
import { type ControlPlane, startControlPlane } from './controlplane.ts';

let started: Promise<ControlPlane> | undefined;

/** Starts it at the first call; tests share it, so each makes namespaces of its own. */
export function sharedControlPlane(): Promise<ControlPlane> {
  started ??= startControlPlane({ quiet: true });
  return started;
}

/** What mocha runs after all tests: .mocharc.json requires this file. */
export const mochaHooks = {
  async afterAll(): Promise<void> {
    const controlPlane = await started?.catch(() => undefined);
    await controlPlane?.stop();
  },
};
