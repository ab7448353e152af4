import { CAPABILITIES, RUNTIME_DEFAULT } from '../standards/capabilities.ts';
import { and, FOR_WINDOWS, listed, literal } from './cel.ts';
import { defineRule } from './rule.ts';

const DROPS = 'c.?securityContext.?capabilities.?drop.orValue([]).map(x, x.upperAscii())';
const ADDS =
  'c.?securityContext.?capabilities.?add.orValue([]).map(x, x.upperAscii()).map(x, x.startsWith("CAP_") ? x.substring(4) : x)';

/**
 * CEL, list(string): which of the forbidden capabilities the container's bounding set will have.
 *
 * Runtimes start from their default set, or from nothing with drop ALL, or from everything with add ALL; then come the
 * adds, then the drops, in any case of letters. CRI-O and Docker strip CAP_ where containerd does not, so a prefixed add
 * counts and a prefixed drop does not: no runtime may grant more than was judged.
 */
function held(forbidden: readonly string[]): string {
  const byDefault = forbidden.filter((name) => RUNTIME_DEFAULT.includes(name));
  const start = `("ALL" in ${DROPS} ? [] : "ALL" in ${ADDS} ? ${literal(forbidden)} : ${literal(byDefault)})`;
  const added = `${ADDS}.filter(x, x in ${literal(forbidden)})`;
  return `(${start} + ${added}).filter(x, !(x in ${DROPS}))`;
}

export const allowedBounding = defineRule<readonly string[]>({
  id: 'capabilities.allowedBounding',
  title: 'Which capabilities a container may end up holding, added or given by the container runtime.',
  words:
    'No Standard has this: a baseline pod that says nothing about capabilities still holds the 14 of its runtime, NET_RAW ' +
    'among them.',
  sources: [
    'linux/include/uapi/linux/capability.h',
    'containerd internal/cri/opts/spec_linux_opts.go',
    'cri-o internal/config/capabilities',
  ],
  reads: { spec: ['os'], container: ['securityContext'] },

  value: ({ capabilities }) => capabilities?.allowedBounding ?? ['*'],

  checks: (allowed) => {
    if (allowed.includes('*')) return [];
    const forbidden = CAPABILITIES.filter((name) => !allowed.includes(name));
    if (forbidden.length === 0) return [];
    const privileged = 'c.?securityContext.?privileged.orValue(false)';
    return [
      {
        over: 'containers',
        violates: and(`${privileged} || ${held(forbidden)}.size() > 0`, `!(${FOR_WINDOWS})`),
        message: `"would hold capability " + (${privileged} ? "ALL (privileged)" : ${held(forbidden)}.join(", ")) + ${literal(`, drop it or ALL (allowed: ${listed(allowed)})`)}`,
        path: 'securityContext.capabilities',
      },
    ];
  },

  podSecurity: () => 'restricted',
});
