import assert from 'node:assert/strict';
import type { CompletePolicy } from '../../operator/api/capability-policy.ts';
import { leftovers, release, type WithdrawalContext } from '../../operator/apply/withdrawal.ts';
import { ApiError } from '../../operator/cluster/client.ts';
import { NOTHING_COMPILED } from '../../operator/compile/compile.ts';
import type { NamespaceView, RenderedObject } from '../../operator/model/objects.ts';
import { policy } from '../support/policies.ts';

const ENFORCE = 'pod-security.kubernetes.io/enforce';
const ROLLOUT = 'rollout.capabilitypolicy.dev/it';
const US = { manager: 'capabilitypolicy.dev', operation: 'Apply' } as const;

function namespace(label: string | undefined, rest: Partial<NamespaceView> = {}): NamespaceView {
  return {
    name: 'net',
    uid: 'uid',
    terminating: false,
    labels: label === undefined ? {} : { [ENFORCE]: label },
    ...(label !== undefined && { recorded: JSON.stringify({ [ENFORCE]: label }) }),
    labelOwners: label === undefined ? {} : { [ENFORCE]: [US] },
    ...rest,
  };
}

const STALE: RenderedObject = {
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'ValidatingAdmissionPolicy',
  metadata: { name: 'capabilitypolicy-gone-0', labels: { 'capabilitypolicy.dev/policy': 'gone' } },
};

interface Row {
  readonly policies?: readonly CompletePolicy[];
  readonly namespace?: NamespaceView;
  readonly rendered?: readonly RenderedObject[];
  /** The value that the policies give to the Pod Security label. */
  readonly wanted?: string;
  readonly isRefused?: boolean;
}

function left({ policies = [], namespace, rendered = [], wanted, isRefused = false }: Row): string[] {
  const context: WithdrawalContext = {
    cluster: {
      policies: () => policies,
      namespaces: () => (namespace ? [namespace] : []),
      rendered: () => rendered,
    },
    compiled: NOTHING_COMPILED,
    isRefused,
    wantedLabels: (): Record<string, string> => (wanted === undefined ? {} : { [ENFORCE]: wanted }),
  };
  return leftovers(context);
}

describe('leftovers of deleted policies', () => {
  const deleting = policy('net');
  Object.assign(deleting.metadata ?? {}, { deletionTimestamp: '2026-01-01T00:00:00Z' });
  const labels = ['labels of Namespace/net'];
  const rows: readonly [string, Row, readonly string[]][] = [
    ['none when there is nothing', {}, []],
    [
      'none when a policy stays',
      { policies: [policy('net')], namespace: namespace('restricted'), wanted: 'restricted' },
      [],
    ],
    ['a policy that waits for its own finalizers', { policies: [deleting] }, ['CapabilityPolicy/net']],
    ['a label that no policy asks for', { namespace: namespace('restricted') }, labels],
    ['a label that is to be another', { namespace: namespace('restricted'), wanted: 'baseline' }, labels],
    ['a label whose record is lost', { namespace: namespace('restricted', { recorded: undefined as never }) }, labels],
    ['a record without its label', { namespace: namespace('restricted', { labels: {}, labelOwners: {} }) }, labels],
    ['a record that cannot be read', { namespace: namespace(undefined, { recorded: '{' }) }, labels],
    ['no label of somebody else', { namespace: namespace(undefined, { labels: { [ENFORCE]: 'restricted' } }) }, []],
    ['the label of a rollout', { namespace: namespace(undefined, { labels: { [ROLLOUT]: 'pending' } }) }, labels],
    [
      'no label of a rollout whose policy stays',
      { policies: [policy('it')], namespace: namespace(undefined, { labels: { [ROLLOUT]: 'pending' } }) },
      [],
    ],
    ['no label that is still to be set', { namespace: namespace(undefined), wanted: 'restricted' }, []],
    [
      'no label of a namespace that is being deleted',
      { namespace: namespace('restricted', { terminating: true }) },
      [],
    ],
    [
      'an object that is rendered no more',
      { rendered: [STALE] },
      ['ValidatingAdmissionPolicy/capabilitypolicy-gone-0'],
    ],
    [
      'no old object while the API server refuses a new one: it stays in force',
      { rendered: [STALE], isRefused: true },
      [],
    ],
  ];
  for (const [title, row, expected] of rows) it(title, () => assert.deepEqual(left(row), expected));
});

describe('the release of an object that waits', () => {
  const object = {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    name: 'waiting',
    resourceVersion: '7',
    finalizers: ['capabilitypolicy.dev/withdrawal', 'foregroundDeletion'],
  };
  const answering = (status: number) => ({
    change: async () => {
      throw new ApiError({ status, message: 'no', reason: '' } as never, 'PATCH');
    },
  });

  it('release removes only the finalizer of the operator, and only from the version that was read', async () => {
    const written: unknown[] = [];
    const change = async (...call: unknown[]) => {
      written.push(call);
      return {};
    };
    await release({ change }, object);
    const path = '/apis/rbac.authorization.k8s.io/v1/clusterroles/waiting';
    assert.deepEqual(written, [[path, { metadata: { resourceVersion: '7', finalizers: ['foregroundDeletion'] } }]]);
  });

  it('release does nothing when the object no longer exists', async () => {
    await release(answering(404), object);
    await assert.rejects(release(answering(409), object));
  });
});
