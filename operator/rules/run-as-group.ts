import { effective } from './cel.ts';
import { singleGroupRule } from './single-group.ts';

export const runAsGroup = singleGroupRule({
  id: 'runAsGroup',
  title: 'Which primary group IDs containers may run as.',
  words:
    'The Pod Security Standards have no such rule. PodSecurityPolicy: the group ID of a container must be in a range, whether the container ' +
    'sets the ID or inherits it from the pod. With MustRunAs, the group ID must also be set.',
  sources: ['PodSecurityPolicy runAsGroup'],
  guides: { cis: [], nsa: [] },
  severity: 'Identity',
  reads: { spec: ['securityContext', 'os'], container: ['securityContext'] },
  over: 'containers',
  ofContainer: 'as-is',
  group: effective('runAsGroup'),
  wrong: 'must not run as group ',
  missing: 'must set securityContext.runAsGroup on it or on the pod',
});
