/**
 * Tests authorizers that answer with conditions (KEP-5681). Programs check the verbs `use` and `exempt` through an
 * authorizer.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ControlPlane, startControlPlane } from '../../hack/controlplane/controlplane.ts';
import { type Answered, type Asked, Authorizer } from '../support/authorizer.ts';
import { ADMITTED, CREATOR, useCluster } from '../support/harness.ts';
import { allowEditor, EDITOR } from '../support/namespace-changes.ts';
import { describeIfOffered } from '../support/needs.ts';
import { restrictedPod } from '../support/pod-manifests.ts';
import { NAMESPACES } from '../support/rendered.ts';

/** An authorizer's decision that allows a request under a condition. The condition always holds. */
const CONDITIONAL = {
  type: 'ConditionsMap',
  conditionsMap: {
    allowConditions: [{ id: 'example.com/always', type: 'authorizer.kubernetes.io/cel', condition: 'true' }],
  },
};

/** Answers of the webhook that the API server must not treat as permission. */
const NOT_ALLOWED: Readonly<Record<string, Answered>> = {
  'no opinion': { allowed: false },
  'a conditional decision that nobody asked for': { allowed: false, conditionalDecision: CONDITIONAL },
  'a conditional decision that nobody asked for, beside allowed': { allowed: true, conditionalDecision: CONDITIONAL },
};

describeIfOffered('conditionalAuthorization', 'an authorizer that allows on conditions', () => {
  const folder = mkdtempSync(join(tmpdir(), 'capabilitypolicy-authorizer-'));
  const authorizer = new Authorizer();
  let controlPlane: ControlPlane;
  const cluster = useCluster('conditional', {
    controlPlane: async () => {
      controlPlane = await startControlPlane({ quiet: true, apiServerFlags: await authorizer.start(folder) });
      return controlPlane;
    },
  });
  const pinging = restrictedPod({ add: ['NET_RAW'] });
  let namespace: string;
  let exception: string;

  before(async () => {
    await allowEditor(cluster.api);
    namespace = await cluster.namespace('team', { team: 'conditional' });
    const selected = { namespaceSelector: { matchLabels: { team: 'conditional' } }, mode: 'Enforce' as const };
    const strict = await cluster.policy('strict', { ...selected, level: 'restricted' });
    exception = await cluster.policy('exception', {
      ...selected,
      level: 'restricted',
      usableBy: 'Bindings',
      overrides: { capabilities: { allowedAdd: ['NET_RAW'] } },
    });
    await cluster.programmed(strict, exception);
  });

  beforeEach(() => {
    authorizer.asked.length = 0;
  });

  after(async () => {
    await controlPlane?.stop();
    await authorizer.stop();
    rmSync(folder, { recursive: true });
  });

  /** Sets the webhook's answers for a verb. The webhook has no opinion about other verbs. */
  function answer(verb: string, answered: Answered | ((asked: Asked) => Answered)): void {
    authorizer.answer = (asked) => {
      if (asked.resourceAttributes?.verb !== verb) return { allowed: false };
      return typeof answered === 'function' ? answered(asked) : answered;
    };
  }

  function askedAbout(verb: string): Asked[] {
    return authorizer.asked.filter(({ resourceAttributes }) => resourceAttributes?.verb === verb);
  }

  it('an authorizer may give the right to use a policy without conditions', async () => {
    answer('use', { allowed: true });
    assert.equal(await cluster.admit(pinging, namespace), ADMITTED);
    assert.ok(askedAbout('use').length > 0);
  });

  for (const [title, answered] of Object.entries(NOT_ALLOWED)) {
    it(`lets nobody use a policy by ${title}`, async () => {
      answer('use', answered);
      assert.match(
        await cluster.admit(pinging, namespace),
        new RegExp(
          `CapabilityPolicy ${exception}: the pod complies, but neither its service account nor its creator may use this policy`,
        ),
      );
    });

    it(`lets nobody take a namespace out of a policy by ${title}`, async () => {
      answer('exempt', answered);
      const { status } = await relabelled();
      assert.equal(status, 403);
      answer('exempt', { allowed: true });
      assert.equal((await relabelled()).status, 200);
    });
  }

  it('the API server asks an authorizer for conditions on the creation of a pod, but never on use and exempt', async () => {
    const conditional = (asked: Asked): Answered =>
      asked.authorizationOptions ? { allowed: false, conditionalDecision: CONDITIONAL } : { allowed: false };
    authorizer.answer = conditional;
    const stranger = { user: 'stranger' };
    assert.equal(await cluster.admit(restrictedPod(), namespace, stranger), ADMITTED);
    assert.ok(askedAbout('create').every(({ authorizationOptions }) => authorizationOptions));
    assert.match(await cluster.admit(pinging, namespace, stranger), /nor its creator may use this policy/);
    await relabelled();
    for (const verb of ['use', 'exempt']) {
      assert.ok(askedAbout(verb).length > 0, verb);
      assert.ok(
        askedAbout(verb).every(({ authorizationOptions }) => authorizationOptions === undefined),
        verb,
      );
    }
  });

  it('the answer to a SubjectAccessReview never states a conditional decision as allowed, even if the review asks for conditions', async () => {
    answer('use', { allowed: false, conditionalDecision: CONDITIONAL });
    const review = (fields: object) =>
      cluster.api.create('/apis/authorization.k8s.io/v1/subjectaccessreviews', {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SubjectAccessReview',
        spec: {
          user: CREATOR.user,
          resourceAttributes: {
            verb: 'use',
            group: 'capabilitypolicy.dev',
            resource: 'capabilitypolicies',
            name: exception,
          },
          ...fields,
        },
      });
    assert.equal((await review({})).status.allowed, false);
    const handledDecisionTypes = ['Allow', 'Deny', 'NoOpinion', 'ConditionsMap', 'Union'];
    const { status } = await review({ authorizationOptions: { handledDecisionTypes } });
    assert.equal(status.allowed, false);
    assert.ok(status.conditionalDecision);
  });

  function relabelled() {
    return cluster.api.ask('PATCH', `${NAMESPACES}/${namespace}`, {
      body: { metadata: { labels: { team: null } } },
      contentType: 'application/merge-patch+json',
      query: { dryRun: 'All' },
      as: EDITOR,
    });
  }
});
