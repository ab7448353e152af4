import { forbiddenField } from './forbidden-field.ts';

const HANDLERS = ['livenessProbe', 'readinessProbe', 'startupProbe', 'lifecycle.?postStart', 'lifecycle.?preStop'];
const HOSTS = HANDLERS.flatMap((handler) => [`c.?${handler}.?httpGet.?host`, `c.?${handler}.?tcpSocket.?host`]);

export const hostProbes = forbiddenField({
  id: 'hostProbes',
  title: 'Whether probes and lifecycle handlers may name a host other than the pod: the kubelet connects to it.',
  words: 'The host field in probes and lifecycle handlers must be empty (v1.34+).',
  sources: ['k8s.io/pod-security-admission/policy/check_hostProbesAndhostLifecycle.go', 'KEP-4940'],
  reads: { container: ['livenessProbe', 'readinessProbe', 'startupProbe', 'lifecycle'] },
  ofContainer: 'as-is',
  since: 34,
  checks: [
    {
      over: 'containers',
      violates: HOSTS.map((host) => `${host}.orValue("") != ""`).join(' || '),
      message: '"must not set host in probes or lifecycle handlers"',
      path: 'livenessProbe',
    },
  ],
});
