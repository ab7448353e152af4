/** The fixes for violations of the lists of capabilities. */
import {
  ADD,
  type Capabilities,
  DROP,
  filledDrop,
  isMissing,
  isRefused,
  listColumns,
  MOST_NAMES,
  NAMES,
} from './capability-lists.ts';
import { and, FOR_WINDOWS, literal } from './cel.ts';
import type { Fix } from './rule.ts';
import { LiteralValues } from './values.ts';

/** A CEL expression of type string: the name as Kubernetes spells it, in upper case and without CAP_. */
const SPELT = '[x.upperAscii()].map(n, n.startsWith("CAP_") ? n.substring(4) : n)[0]';
/** A CEL expression of type bool, for a name `x`: true if `x` is the misspelt name of a capability. */
const IS_MISSPELT = `!(x in ${literal(NAMES)}) && ${SPELT} in ${literal(NAMES)}`;

const MISSPELT: Readonly<Record<'add' | 'drop', string>> = {
  add: 'containerd ignores the old spelling and adds no capability; with the new spelling, every runtime adds the capability',
  drop: 'containerd ignores the old spelling and drops no capability; with the new spelling, every runtime drops the capability',
};

/**
 * The fixes of misspelt names. If the list `drop` contains ALL, other names in the list have no effect, so the fixes do
 * not change these names.
 */
export function spellingFixes(): Fix[] {
  const fix = (list: 'add' | 'drop', names: string, ...when: string[]): Fix => ({
    over: 'containers',
    path: ['securityContext', 'capabilities', list],
    when: and(`${names}.size() <= ${MOST_NAMES}`, `${names}.exists(x, ${IS_MISSPELT})`, ...when),
    value: `${names}.map(x, ${IS_MISSPELT} ? ${SPELT} : x)`,
    class: 'spelling',
    risk: MISSPELT[list],
  });
  return [fix('add', ADD), fix('drop', DROP, `!("ALL" in ${DROP})`)];
}

/**
 * The fix that removes added capabilities.
 * @param refused CEL of type bool, for a name `x`: true if the rule refuses the added capability
 */
export function removeAdds(refused: string): Fix {
  return {
    over: 'containers',
    path: ['securityContext', 'capabilities', 'add'],
    when: and(`${ADD}.size() <= ${MOST_NAMES}`, `${ADD}.exists(x, ${refused})`),
    value: `${ADD}.filter(x, !(${refused}))`,
    class: 'check',
    risk: 'somebody added the capability on purpose: programs that need it fail (`cappol explain NAME` shows what it permits, and what to use instead)',
  };
}

export function fixesOf(lists: Capabilities): Fix[] {
  const { allowedAdd, requiredDrop } = lists;
  const values = new LiteralValues(listColumns(lists));
  const drop: Fix = {
    over: 'containers',
    path: ['securityContext', 'capabilities', 'drop'],
    when: and(`${DROP}.size() <= ${MOST_NAMES}`, `${isMissing(values)}`, `!(${FOR_WINDOWS})`),
    value: filledDrop(values),
    class: 'check',
    risk: 'the container loses the default capabilities of container runtimes, such as CHOWN, SETUID, DAC_OVERRIDE and NET_BIND_SERVICE. Images that start as root often need them: add those that the policy allows',
  };
  if (allowedAdd.includes('*')) return requiredDrop.length === 0 ? [] : [...spellingFixes(), drop];
  return [...spellingFixes(), removeAdds(`${isRefused(values)}`), ...(requiredDrop.length === 0 ? [] : [drop])];
}
