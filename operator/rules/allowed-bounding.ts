import { CAPABILITIES, RUNTIME_DEFAULT } from '../standards/capabilities.ts';
import { ADD, type Capabilities, capabilitiesOf, DROP, filledAdd, filledDrop } from './capabilities.ts';
import { and, FOR_WINDOWS, listed, literal } from './cel.ts';
import { distinct } from './fit.ts';
import { defineRule } from './rule.ts';

interface AllowedBounding {
  readonly allowed: readonly string[];
  /** What defaulting adds and drops. */
  readonly filling: Capabilities;
}

/**
 * CEL, list(string): which of the forbidden capabilities the container's bounding set will have.
 *
 * Runtimes start from their default set, or from nothing with drop ALL, or from everything with add ALL; then come the
 * adds, then the drops, in any case of letters. CRI-O and Docker strip CAP_ where containerd does not, so a prefixed add
 * counts and a prefixed drop does not: no runtime may grant more than was judged.
 */
function held(forbidden: readonly string[], add: string, drop: string): string {
  const drops = `${drop}.map(x, x.upperAscii())`;
  const adds = `${add}.map(x, x.upperAscii()).map(x, x.startsWith("CAP_") ? x.substring(4) : x)`;
  const byDefault = forbidden.filter((name) => RUNTIME_DEFAULT.includes(name));
  const start = `("ALL" in ${drops} ? [] : "ALL" in ${adds} ? ${literal(forbidden)} : ${literal(byDefault)})`;
  const added = `${adds}.filter(x, x in ${literal(forbidden)})`;
  return `(${start} + ${added}).filter(x, !(x in ${drops}))`;
}

export const allowedBounding = defineRule<AllowedBounding, string>({
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

  value: (overrides, standard) => ({
    allowed: overrides.capabilities?.allowedBounding ?? ['*'],
    filling: capabilitiesOf(overrides, standard),
  }),

  checks: ({ allowed, filling }, _standard, filled = false) => {
    if (allowed.includes('*')) return [];
    const forbidden = CAPABILITIES.filter((name) => !allowed.includes(name));
    if (forbidden.length === 0) return [];
    const privileged = 'c.?securityContext.?privileged.orValue(false)';
    const capabilities = filled
      ? held(forbidden, filledAdd(filling.defaultAdd), filledDrop(filling))
      : held(forbidden, ADD, DROP);
    return [
      {
        over: 'containers',
        violates: and(`${privileged} || ${capabilities}.size() > 0`, `!(${FOR_WINDOWS})`),
        message: `"would hold capability " + (${privileged} ? "ALL (privileged)" : ${capabilities}.join(", ")) + ${literal(`, drop it or ALL (allowed: ${listed(allowed)})`)}`,
        path: 'securityContext.capabilities',
      },
    ];
  },

  podSecurity: () => 'restricted',

  fit: () => ({
    asks: [
      {
        over: 'containers',
        for: `(${FOR_WINDOWS}) ? [] : c.?securityContext.?privileged.orValue(false) ? ${literal(CAPABILITIES)} : ${held(CAPABILITIES, ADD, DROP)}`,
      },
    ],
    choices: (holding) => [
      { 'capabilities.allowedBounding': holding.length < CAPABILITIES.length ? distinct(holding) : ['*'] },
    ],
  }),
});
