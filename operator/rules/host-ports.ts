import { literal, namedIn } from './cel.ts';
import { inRanges, rangesOf } from './id-ranges.ts';
import { defineRule } from './rule.ts';

interface PortRange {
  readonly min: number;
  readonly max: number;
}

const EVERY_PORT: readonly PortRange[] = [{ min: 1, max: 65535 }];

/**
 * The port that `p` uses on the node, 0 for none. With hostNetwork the API server fills in containerPort when a pod is
 * created (SetDefaults_PodSpec), but not in its template.
 */
const PORT =
  '(p.?hostPort.orValue(0) != 0 ? p.hostPort : variables.spec.?hostNetwork.orValue(false) ? p.containerPort : 0)';

/** CEL, bool, over a port `p`: it uses a host port outside the ranges. */
function isOutside(ranges: readonly PortRange[]): string {
  if (ranges.length === 0) return `${PORT} != 0`;
  // A list of one number binds a value, so that the port is computed once.
  return `[${PORT}].exists(n, n != 0 && !${inRanges('n', ranges)})`;
}

function allowedText(ranges: readonly PortRange[]): string {
  return ranges.length === 0
    ? 'none'
    : ranges.map(({ min, max }) => (min === max ? `${min}` : `${min}-${max}`)).join(', ');
}

export const hostPorts = defineRule<readonly PortRange[], number>({
  id: 'hostPorts',
  title: 'Which ports of the node a container may listen on.',
  words: 'HostPort ports must be forbidden.',
  sources: ['k8s.io/pod-security-admission/policy/check_hostPorts.go'],
  guides: { cis: ['5.2.13'], nsa: [] },
  reads: { spec: ['hostNetwork'], container: ['ports'] },

  value: (overrides, { level }) => overrides.hostPorts ?? (level === 'privileged' ? EVERY_PORT : []),

  checks: (ranges) => {
    if (ranges.some(({ min, max }) => min <= 1 && max >= 65535)) return [];
    const bad = `c.?ports.orValue([]).filter(p, ${isOutside(ranges)})`;
    return [
      {
        over: 'containers',
        violates: `c.?ports.orValue([]).exists(p, ${isOutside(ranges)})`,
        message: `"must not use hostPort " + ${namedIn('c.?ports.orValue([])', `${bad}.map(p, string(int(${PORT}))).join(", ")`)} + ${literal(` (allowed: ${allowedText(ranges)})`)}`,
        path: 'ports',
      },
    ];
  },

  unfixable:
    "clients reach the pod by the node's address, and only they can be told another one; a Service of type NodePort or LoadBalancer replaces hostPort",

  ofContainer: 'as-is',

  podSecurity: (ranges) => (ranges.length === 0 ? 'restricted' : 'privileged'),

  fit: () => ({
    asks: [{ over: 'containers', for: `c.?ports.orValue([]).filter(p, ${PORT} != 0).map(p, ${PORT})` }],
    choices: (ports) => [{ hostPorts: rangesOf(ports, { min: 1, max: 65535 }) ?? EVERY_PORT }],
  }),
});
