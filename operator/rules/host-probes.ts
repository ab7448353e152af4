import { forbiddenField } from './forbidden-field.ts';

const HANDLERS = [
  ['livenessProbe'],
  ['readinessProbe'],
  ['startupProbe'],
  ['lifecycle', 'postStart'],
  ['lifecycle', 'preStop'],
];
const PATHS = HANDLERS.flatMap((handler) => [
  [...handler, 'httpGet', 'host'],
  [...handler, 'tcpSocket', 'host'],
]);

/** A CEL expression of type bool: true if the field `host` at the path is set. */
function isSet(path: readonly string[]): string {
  return `c.${path.map((step) => `?${step}`).join('.')}.orValue("") != ""`;
}

export const hostProbes = forbiddenField({
  id: 'hostProbes',
  title: 'Whether probes and lifecycle handlers may make the kubelet connect to a host other than the pod.',
  words: 'The host field in probes and lifecycle handlers must be empty (v1.34+).',
  sources: ['k8s.io/pod-security-admission/policy/check_hostProbesAndhostLifecycle.go', 'KEP-4940'],
  guides: { cis: [], nsa: [] },
  severity: 'NodeServices',
  may: 'probe other hosts',
  reads: { container: ['livenessProbe', 'readinessProbe', 'startupProbe', 'lifecycle'] },
  example: { container: { livenessProbe: { tcpSocket: { host: 'example.com', port: 80 } } } },
  ofContainer: 'as-is',
  since: 34,
  checks: [
    {
      over: 'containers',
      violates: PATHS.map(isSet).join(' || '),
      message: '"must not set host in probes or lifecycle handlers"',
      path: 'livenessProbe',
    },
  ],
  fixes: PATHS.map((path) => ({
    over: 'containers',
    path,
    when: isSet(path),
    value: 'null',
    class: 'check',
    risk: "the kubelet connects to the pod's own address instead, so the container must listen there",
  })),
});
