/** One control plane for all integration tests of a mocha run. */
import { type ControlPlane, startControlPlane } from '../../hack/controlplane/controlplane.ts';

let started: Promise<ControlPlane> | undefined;
const endings: (() => Promise<void>)[] = [];

/** Starts it at the first call; tests share it, so each creates its own namespaces. */
export function sharedControlPlane(): Promise<ControlPlane> {
  started ??= startControlPlane({ quiet: true });
  return started;
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
