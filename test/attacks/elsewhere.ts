/**
 * Attempts that do not fit into a single row of the table of attacks. For each of these attempts, the table contains a
 * link to the test that makes the attempt.
 */

interface ShownElsewhere {
  readonly attempt: string;
  readonly outcome: string;
  /** The path of the test file, relative to the project's folder. */
  readonly file: string;
  /** A part of the test's title. */
  readonly title: string;
}

const row = (attempt: string, outcome: string, file: string, title: string): ShownElsewhere => ({
  attempt,
  outcome,
  file: `test/${file}.test.ts`,
  title,
});

export const ELSEWHERE: readonly ShownElsewhere[] = [
  row(
    'changes a namespace while policies change and operators are killed',
    'refused at every moment',
    'integration/guard-changes',
    'at every moment of',
  ),
  row(
    'holds exempt in the namespace only, or on another policy',
    'refused',
    'integration/guard',
    'a user who holds exempt only in the namespace',
  ),
  row(
    'holds exempt on one of several policies that decide',
    'refused',
    'integration/guard',
    'the guard requires exempt on each policy that decides',
  ),
  row(
    'makes the guard larger than etcd accepts',
    'it is split, and conditions that are too long for one expression take several',
    'integration/guard-size',
    'is split by the names of namespaces',
  ),
  row(
    'takes a namespace out of a policy, or makes it pending, while another policy overrides that one',
    'refused',
    'integration/guard-overridden',
    'as far as the policy',
  ),
  row(
    'makes a namespace pending while a rollout is added',
    'refused at every moment',
    'integration/guard-overridden',
    'the editor cannot make a namespace pending while a rollout is added',
  ),
  row(
    'lets a namespace enter a policy with the label that says pending, in one step or two',
    'refused',
    'integration/guard-overridden',
    'never makes it pending in two steps',
  ),
  row(
    'concerns more policies by one change than a guard asks about',
    'refused without exempt on each, or on all',
    'integration/guard-groups',
    'including the policies of the second guard',
  ),
  row(
    'changes the image of a container when the exception for its image has ended',
    'refused',
    'integration/image-changes',
    'cannot be changed when the exception',
  ),
  row(
    'changes the image of a pod that is older than the policy',
    'refused',
    'integration/image-changes',
    'cannot be changed:',
  ),
  row(
    'writes an invalid policy to end the previous one',
    'the text in force stays in force',
    'integration/deletion',
    'keeps its last text in force',
  ),
  row(
    'claims that a pod is older than the end of an exception',
    'the API server sets the time itself',
    'integration/expiry',
    'a creationTimestamp of its own',
  ),
  row(
    'takes a namespace out of a policy that an exception with an end overrides',
    'refused: that policy will decide there after the end',
    'compile/guard',
    'asks for exempt on the policies that the laws say, for random changes',
  ),
  row(
    'creates a pod while policies change',
    'no pod passes that both the old and the new state refuse',
    'integration/transitions',
    'pods that the old and the new state agree on keep their verdict',
  ),
  row(
    'creates a pod while API servers, watches and operators fail',
    'never admits more than its policies',
    'soak/soak',
    'never admits more than its policies',
  ),
  row(
    'creates a pod in a new namespace with the operator stopped',
    'refused',
    'integration/decisions',
    'while the operator is stopped',
  ),
  row(
    "has another's mutation change the pod after ours",
    'refused for its final state',
    'integration/hostile',
    'defaulting and the policy apply to the result of a foreign mutating policy',
  ),
  row(
    'floods the status with 20,000 violating pods',
    'counted whole in a status of bounded size',
    'integration/hostile',
    'the status counts all violations, and has a bounded size',
  ),
  row(
    'writes terminal escapes into names and values',
    'made harmless',
    'integration/hostile',
    'text that controls terminals',
  ),
  row(
    'deletes the CRD',
    'enforcement ends until it is back',
    'integration/hostile',
    'is survived, and later policies are in force',
  ),
  row('changes rendered objects, as administrator', 'repaired within seconds', 'integration/drift', 'is repaired'),
  row(
    "forges the operator's records and labels",
    'put right',
    'integration/bypass',
    'the operator replaces a forged record and forged labels that a namespace has from its creation',
  ),
  row(
    'claims to be the last accepted text',
    'not believed',
    'integration/bypass',
    'even if a forged object claims another text',
  ),
  row(
    "creates a PodTemplate with a probe's labels",
    'makes no difference',
    'integration/bypass',
    'a PodTemplate with or without the labels gets a warning and is admitted',
  ),
  row(
    "creates a ClusterRole with a probe's labels",
    'refused',
    'integration/bypass',
    'a ClusterRole is refused only with these labels',
  ),
  row(
    'names a policy so that it comes first in filling',
    'not used if nobody may use it',
    'integration/bypass',
    'fills in nothing by a policy that is named to come first',
  ),
  row(
    'holds every verb in a namespace',
    'may use all policies there and nowhere else',
    'integration/bypass',
    'if RBAC grants a user every verb in a namespace, the user may use all policies in this namespace',
  ),
  row('forges a token to read metrics', 'refused', 'integration/metrics-access', 'excludes forged tokens'),
  row(
    'was bound to a deleted policy, and waits for another of its name',
    'named in the condition Accepted of the new one',
    'integration/deletion',
    'the status names the bindings to an earlier policy of the same name',
  ),
  row(
    'claims to be the image of a static pod, as a node',
    'admitted',
    'integration/bypass',
    'a mirror pod is refused for every creator except a node',
  ),
  row('removes the annotation of such a pod', 'refused', 'integration/bypass', 'can never be taken off the pod'),
  row(
    'grows a pod step by step, as several users',
    'no step leads from a pod that some policy admits to one that none admits',
    'differential/policies/policies',
    'each admitted pod still satisfies a policy',
  ),
  row(
    'creates the largest object that etcd accepts, for every rule',
    'the event loop is free within 100 ms',
    'evaluate/worst-objects',
    'costs the operator less than',
  ),
];
