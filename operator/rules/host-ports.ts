import { namedIn } from './cel.ts';
import { choose, concat, not } from './condition.ts';
import { rangesOf, rangeText, THREE_RANGES } from './id-ranges.ts';
import { defineRule } from './rule.ts';
import type { Values } from './values.ts';

interface PortRange {
  readonly min: number;
  readonly max: number;
}

const EVERY_PORT: readonly PortRange[] = [{ min: 1, max: 65535 }];

/**
 * A CEL expression of type int: the node's port that the container port `o` uses. The value is 0 if `o` uses no port of
 * the node. If a pod has hostNetwork, the API server fills in the host port from containerPort (SetDefaults_PodSpec).
 * The API server fills in the host port in pods, but not in templates.
 */
const PORT =
  '(o.?hostPort.orValue(0) != 0 ? o.hostPort : variables.spec.?hostNetwork.orValue(false) ? o.containerPort : 0)';

/** A CEL expression of type bool, for a container port `o`: true if `o` uses a host port outside the ranges. */
function isOutside(values: Values): string {
  // A loop over a list with one item gives the item a name. So the port is computed once.
  return choose(
    values.hasSome('hostPorts'),
    `[${PORT}].exists(n, n != 0 && !${values.isInRanges('n', 'hostPorts')})`,
    `${PORT} != 0`,
  );
}

export const hostPorts = defineRule<readonly PortRange[], number>({
  id: 'hostPorts',
  title: 'Which ports of the node a container may listen on.',
  words: 'HostPort ports must be forbidden.',
  sources: ['k8s.io/pod-security-admission/policy/check_hostPorts.go'],
  guides: { cis: ['5.2.12'], nsa: [] },
  severity: 'NodeServices',
  reads: { spec: ['hostNetwork'], container: ['ports'] },
  examples: [
    {
      overrides: { hostPorts: [{ min: 8000, max: 8080 }] },
      admits: [{}, { container: { ports: [{ containerPort: 8000, hostPort: 8000 }] } }],
      refuses: [{ container: { ports: [{ containerPort: 80, hostPort: 80 }] } }],
    },
    {
      overrides: { hostPorts: THREE_RANGES },
      admits: [{ container: { ports: [{ containerPort: 9, hostPort: 9 }] } }],
      refuses: [{ container: { ports: [{ containerPort: 10, hostPort: 10 }] } }],
    },
  ],

  value: (overrides, { level }) => overrides.hostPorts ?? (level === 'privileged' ? EVERY_PORT : []),

  columns: (ranges) => ({
    hostPorts: ranges.some(({ min, max }) => min <= 1 && max >= 65535) ? ['1-65535'] : ranges.map(rangeText),
  }),

  tests: (values) => {
    const bad = `c.?ports.orValue([]).filter(o, ${isOutside(values)})`;
    return [
      {
        applies: not(values.includes('hostPorts', '1-65535')),
        over: 'containers',
        violates: `c.?ports.orValue([]).exists(o, ${isOutside(values)})`,
        message: concat(
          `"must not use hostPort " + ${namedIn('c.?ports.orValue([])', `${bad}.map(o, string(int(${PORT}))).join(", ")`)}`,
          '" (allowed: "',
          values.listed('hostPorts'),
          '")"',
        ),
        path: 'ports',
      },
    ];
  },

  unfixable:
    "clients reach the pod at the node's address, and no change of the manifest gives them another address; replace hostPort by a Service of type NodePort or LoadBalancer",

  ofContainer: 'as-is',

  podSecurity: (ranges) => (ranges.length === 0 ? 'restricted' : 'privileged'),

  fit: () => ({
    asks: [{ over: 'containers', for: `c.?ports.orValue([]).filter(o, ${PORT} != 0).map(o, ${PORT})` }],
    choices: (ports) => [{ hostPorts: rangesOf(ports, { min: 1, max: 65535 }) ?? EVERY_PORT }],
  }),
});
