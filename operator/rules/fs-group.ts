import { singleGroupRule } from './single-group.ts';

export const fsGroup = singleGroupRule({
  id: 'fsGroup',
  title: "Which group ID a pod's volumes may belong to.",
  words:
    "The Pod Security Standards have no such rule. PodSecurityPolicy: the pod's fsGroup must be in a range; with MustRunAs, it must also be set.",
  sources: ['PodSecurityPolicy fsGroup'],
  guides: { cis: [], nsa: [] },
  severity: 'Identity',
  reads: { spec: ['securityContext', 'os'] },
  over: 'pod',
  group: 'variables.spec.?securityContext.?fsGroup',
  wrong: 'must not set securityContext.fsGroup=',
  missing: 'must set securityContext.fsGroup',
});
