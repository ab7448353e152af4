import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Evaluator, type Violation } from '../../operator/evaluate/violations.ts';
import type { PodContent } from '../../operator/model/objects.ts';
import type { ResolvedPolicy } from '../../operator/policy/resolve.ts';
import { init, secured, WINDOWS } from '../support/pods.ts';
import { arbitraryPod, arbitraryPodWithAddedContainers, arbitraryPolicy } from '../support/random-policies.ts';
import { evaluatingFilled, fillAdded, fillCreated, fillsOf } from './fill.ts';

const RUNS = Number(process.env.FILLING_RUNS ?? 200);
const evaluator = new Evaluator();

/**
 * The rules that a pod breaks. If containers were added, the result has only the rules that the added containers break.
 */
function broken(pod: PodContent, policy: ResolvedPolicy, isEvaluated: (violation: Violation) => boolean = () => true) {
  const violations = evaluator.violations(pod, policy).filter(isEvaluated);
  return [...new Set(violations.map(({ rule, path }) => `${rule} ${path}`))];
}

const isAdded = ({ path }: Violation) => path.startsWith('ephemeralContainers');

describe('filling', () => {
  it('filling and the expressions that evaluate pods after filling agree on each rule', () => {
    fc.assert(
      fc.property(arbitraryPolicy, arbitraryPod, (policy, pod) => {
        const filled = fillCreated(pod, fillsOf(policy));
        assert.deepEqual(broken(pod, evaluatingFilled(policy)), broken(filled, policy));
      }),
      { numRuns: RUNS },
    );
  });

  it('filling and the expressions that evaluate pods after filling agree on added containers', () => {
    fc.assert(
      fc.property(arbitraryPolicy, arbitraryPodWithAddedContainers, (policy, pod) => {
        const filled = fillAdded(pod, fillsOf(policy));
        assert.deepEqual(broken(pod, evaluatingFilled(policy), isAdded), broken(filled, policy, isAdded));
      }),
      { numRuns: RUNS },
    );
  });

  it('changes nothing when done again', () => {
    fc.assert(
      fc.property(arbitraryPolicy, arbitraryPodWithAddedContainers, (policy, pod) => {
        const fills = fillsOf(policy);
        const created = fillCreated(withoutAdded(pod), fills);
        assert.deepEqual(fillCreated(created, fills), created);
        const added = fillAdded(pod, fills);
        assert.deepEqual(fillAdded(added, fills), added);
      }),
      { numRuns: RUNS },
    );
  });

  it('filling gives the same result if the values are filled in one after another', () => {
    fc.assert(
      fc.property(arbitraryPolicy, arbitraryPod, (policy, pod) => {
        fc.pre(!fillsRootThatIsRefused(policy));
        // A container that `spec.containers` names gets its own profile. The pod's profile does not matter for this
        // container.
        const fills = fillsOf({ ...policy, containers: [] });
        const oneByOne = fills.reduce((before, fill) => fillCreated(before, [fill]), pod);
        assert.deepEqual(oneByOne, fillCreated(pod, fills));
      }),
      { numRuns: RUNS },
    );
  });

  it('never changes what a pod sets', () => {
    fc.assert(
      fc.property(arbitraryPolicy, arbitraryPodWithAddedContainers, (policy, pod) => {
        const fills = fillsOf(policy);
        assertKept(withoutAdded(pod), fillCreated(withoutAdded(pod), fills));
        assertKept(pod, fillAdded(pod, fills));
      }),
      { numRuns: RUNS },
    );
  });

  it('filling never sets a field that the API server refuses on pods for Windows', () => {
    fc.assert(
      fc.property(arbitraryPolicy, (policy) => {
        const { spec } = fillCreated(init({}, {}), fillsOf(policy));
        const windows = fillCreated({ annotations: {}, spec: { ...init({}, {}).spec, ...WINDOWS } }, fillsOf(policy));
        assert.deepEqual(windows.spec, {
          ...init({}, {}).spec,
          ...WINDOWS,
          ...(spec.runtimeClassName !== undefined && { runtimeClassName: spec.runtimeClassName }),
          initContainers: [{ name: 'init', ...promise(windows.spec.initContainers?.[0]) }],
          containers: [{ name: 'app', ...promise(windows.spec.containers[0]) }],
        });
      }),
      { numRuns: RUNS },
    );
  });
});

function withoutAdded({ annotations, spec: { ephemeralContainers: _, ...spec } }: PodContent): PodContent {
  return { annotations, spec };
}

/** The CRD refuses a policy that fills in both user ID 0 and runAsNonRoot. */
function fillsRootThatIsRefused({ values }: ResolvedPolicy): boolean {
  const { ranges } = values.runAsUser as { ranges?: { min: number }[] };
  return values.runAsNonRoot === true && ranges?.[0]?.min === 0;
}

/** The securityContext that defaulting adds to a container. Pods for Windows may also have `runAsNonRoot`. */
function promise(container: Record<string, unknown> | undefined): object {
  return container?.securityContext === undefined ? {} : secured({ runAsNonRoot: true });
}

/** An empty list counts as absent. */
function assertKept(before: unknown, after: unknown, path = ''): void {
  if (Array.isArray(before)) {
    assert.ok(Array.isArray(after) && after.length >= before.length, path);
    before.forEach((item, i) => {
      assertKept(item, after[i], `${path}[${i}]`);
    });
  } else if (before !== null && typeof before === 'object') {
    for (const [key, value] of Object.entries(before)) {
      assertKept(value, (after as Record<string, unknown>)[key], `${path}.${key}`);
    }
  } else {
    assert.equal(after, before, path);
  }
}
