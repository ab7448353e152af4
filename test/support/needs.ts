/**
 * Declares the requirements of tests on the machine or on the API server. If the requirements of a test are missing,
 * the run reports the test instead of declaring the test in mocha.
 */
import { SERVER_MINOR } from '../../hack/controlplane/version.ts';
import { lacking, type Needs } from '../../hack/needs.ts';
import { NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';
import { offeredSince, offers, type ServerFeature } from '../../operator/standards/server-features.ts';
import { PROTECTED } from './control-plane.ts';

/**
 * Declares tests that need programs besides Node and Go. On a developer's machine, a missing program is only reported.
 * In CI, .ci/run installs the programs, so a missing program is a failure.
 */
export function describeWith(needs: Needs, title: string, tests: () => void): void {
  const reason = lacking(needs);
  if (reason === undefined) {
    describe(title, tests);
  } else if (process.env.CI) {
    describe(title, () => {
      it('finds what it needs', () => {
        throw new Error(`not run: ${reason}`);
      });
    });
  } else {
    leaveOut({ title, reason });
  }
}

const FEATURE_NAMES: Readonly<Record<ServerFeature, string>> = {
  mutatingAdmissionPolicies: 'MutatingAdmissionPolicy v1',
  admissionVariables: 'variables in admission policies',
  userNamespaces: 'user namespaces of pods',
  staticAdmissionPolicies: 'admission policies in files',
  supplementalGroupsPolicy: 'supplementalGroupsPolicy of pods',
  supplementalGroupsPolicyOnNodes: 'supplementalGroupsPolicy on each node',
  seccompFromOci: 'seccomp profiles of type OCI',
  conditionalAuthorization: 'authorization on conditions',
  podResize: 'the subresource pods/resize',
  deviceAdminAccess: 'admin access to devices',
  constrainedImpersonation: 'constrained impersonation',
};

/** @param feature the feature of the API server that the test needs, or undefined if the test needs no feature */
export function itIfOffered(
  feature: ServerFeature | undefined,
  title: string,
  run: Mocha.Func | Mocha.AsyncFunc,
): void {
  const test = it(title, run);
  if (feature !== undefined && !offers(SERVER_MINOR, feature)) {
    remove(test, test.parent?.tests);
    reportMissing(test, feature);
  }
}

/**
 * Declares a test that cannot run under protection. The protection refuses the requests of the test from any client.
 * @param why the reason why the test cannot run under protection
 */
export function itUnprotected(why: string, title: string, run: Mocha.Func | Mocha.AsyncFunc): void {
  const test = it(title, run);
  if (PROTECTED) takeBack(test, why);
}

function takeBack(test: Mocha.Test, reason: string): void {
  remove(test, test.parent?.tests);
  leaveOut({ title: test.fullTitle(), reason });
}

/**
 * Reports a test that needs a feature. If the newest known version also lacks the feature, the function reports
 * nothing.
 */
function reportMissing(test: Mocha.Test, feature: ServerFeature): void {
  if (offers(NEWEST_KNOWN_MINOR, feature)) leaveOut({ title: test.fullTitle(), reason: needOf(feature) });
}

/**
 * Declares a test for API servers that lack a feature. If the API server has the feature, the test is left out without
 * a report.
 */
export function itIfLacking(feature: ServerFeature, title: string, run: Mocha.Func | Mocha.AsyncFunc): void {
  if (!offers(SERVER_MINOR, feature)) it(title, run);
}

/** @param feature the feature of the API server that the tests need */
export function describeIfOffered(feature: ServerFeature, title: string, tests: (this: Mocha.Suite) => void): void {
  const suite = describe(title, tests);
  if (offers(SERVER_MINOR, feature)) return;
  suite.eachTest((test) => reportMissing(test, feature));
  remove(suite, suite.parent?.suites);
}

/**
 * Whether an API server lacks a feature that the newest known version offers.
 * @param server the version of the API server, as N of Kubernetes 1.N
 */
export function lacksFeatures(server: number): boolean {
  const features = Object.keys(FEATURE_NAMES) as ServerFeature[];
  return features.some((feature) => offers(NEWEST_KNOWN_MINOR, feature) && !offers(server, feature));
}

export interface LeftOut {
  readonly title: string;
  readonly reason: string;
}

/** @returns the tests that a run left out, according to the output of the run */
export function leftOutIn(output: string): LeftOut[] {
  return Array.from(output.matchAll(LEFT_OUT), ([, title = '', reason = '']) => ({ title, reason }));
}

const LEFT_OUT = /^Left out: (.*); (.*)$/gm;

/** Prints that a test does not run, instead of declaring the test. */
export function leaveOut({ title, reason }: LeftOut): void {
  console.warn(`Left out: ${title}; ${reason}`);
}

function needOf(feature: ServerFeature): string {
  return `needs ${FEATURE_NAMES[feature]}, offered since ${offeredSince(feature)}`;
}

/**
 * Removes a suite or test that mocha has already declared. The title and the tests of a suite are known only when mocha
 * has declared the suite.
 */
function remove<T>(one: T, declared: T[] = []): void {
  declared.splice(declared.indexOf(one), 1);
}
