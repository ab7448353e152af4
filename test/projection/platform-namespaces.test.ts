import assert from 'node:assert/strict';
import { excludingFlag, platformNamespace } from '../../operator/model/platform-namespaces.ts';
import { createProjection } from '../../operator/projection/projection.ts';
import { RULES } from '../../operator/rules/index.ts';

const { namespace, workload } = createProjection(RULES);

function daemonSet(spec: object, kind = 'DaemonSet') {
  return workload({ apiVersion: 'apps/v1', kind, metadata: { name: 'cni' }, spec: { template: { spec } } });
}

describe('platformNamespace', () => {
  const privileged = [{ name: 'a', securityContext: { privileged: true } }];
  const everywhere = [{ operator: 'Exists' }];
  const rows: readonly [string, { metadata?: object; workloads?: object[]; groups?: string[] }, string | undefined][] =
    [
      ['a user cannot choose it by the name', { metadata: { name: 'gke-managed-system' } }, undefined],
      ['AKS', { metadata: { labels: { 'kubernetes.azure.com/managedby': 'aks' } } }, 'AKS'],
      ['AKS by its label for webhooks', { metadata: { labels: { 'control-plane': 'true' } } }, 'AKS'],
      ['a scaffold of kubebuilder', { metadata: { labels: { 'control-plane': 'controller-manager' } } }, undefined],
      [
        'an add-on manager',
        { metadata: { labels: { 'addonmanager.kubernetes.io/mode': 'Reconcile' } } },
        'add-on manager',
      ],
      [
        'OpenShift',
        { metadata: { labels: { 'openshift.io/run-level': '0' } }, groups: ['config.openshift.io'] },
        'OpenShift',
      ],
      [
        'monitoring of OpenShift',
        { metadata: { labels: { 'openshift.io/cluster-monitoring': 'true' } }, groups: ['security.openshift.io'] },
        'OpenShift',
      ],
      [
        'a label of OpenShift on another platform',
        { metadata: { labels: { 'openshift.io/run-level': '0' } } },
        undefined,
      ],
      ['Rancher', { metadata: { annotations: { 'management.cattle.io/system-namespace': 'true' } } }, 'Rancher'],
      [
        'a namespace of a Rancher user',
        { metadata: { annotations: { 'field.cattle.io/projectId': 'c:p' } } },
        undefined,
      ],
      [
        'a node agent',
        { workloads: [daemonSet({ containers: privileged, tolerations: everywhere })] },
        'DaemonSet cni',
      ],
      [
        'a node agent with a privileged init container',
        { workloads: [daemonSet({ containers: [{}], initContainers: privileged, tolerations: everywhere })] },
        'DaemonSet cni',
      ],
      ['a privileged DaemonSet on some nodes', { workloads: [daemonSet({ containers: privileged })] }, undefined],
      [
        'a DaemonSet that tolerates one taint',
        { workloads: [daemonSet({ containers: privileged, tolerations: [{ key: 'gpu', operator: 'Exists' }] })] },
        undefined,
      ],
      [
        'an unprivileged DaemonSet',
        { workloads: [daemonSet({ containers: [{}], tolerations: everywhere })] },
        undefined,
      ],
      [
        'a privileged Deployment',
        { workloads: [daemonSet({ containers: privileged, tolerations: everywhere }, 'Deployment')] },
        undefined,
      ],
    ];
  for (const [title, { metadata = {}, workloads = [], groups = [] }, evidence] of rows) {
    it(`${title}: ${evidence ?? 'no platform'}`, () => {
      const view = namespace({ metadata: { name: 'net', ...metadata } });
      const found = platformNamespace(view, workloads as ReturnType<typeof workload>[], groups);
      if (evidence === undefined) assert.equal(found, undefined);
      else assert.ok(found?.evidence.includes(evidence), found?.evidence);
    });
  }

  it('the flag keeps the namespaces that are excluded already', () => {
    assert.equal(
      excludingFlag(['kube-system'], [{ name: 'net', evidence: '' }]),
      '--excluded-namespaces=kube-system,net',
    );
  });
});
