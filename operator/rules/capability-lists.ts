/** The lists of capabilities of a policy, and CEL expressions for the lists of capabilities of a container. */
import type { CapabilityPolicyOverrides } from '../api/capability-policy.ts';
import { CAPABILITIES, CAPABILITY_TABLE } from '../standards/capabilities.ts';
import type { Level, Standard } from '../standards/level-version.ts';
import { offers } from '../standards/server-features.ts';
import { IN_USER_NAMESPACE } from './cel.ts';
import { all, any, type Condition, choose, concat, not } from './condition.ts';
import type { Columns, Values } from './values.ts';

export interface Capabilities {
  /** The capabilities that may be added, including the capabilities that defaulting adds. */
  readonly allowedAdd: readonly string[];
  /**
   * The capabilities outside `allowedAdd` that a pod with hostUsers: false may add. If the list would be empty, the
   * field is absent.
   */
  readonly allowedAddInUserNamespace?: readonly string[];
  readonly requiredDrop: readonly string[];
  readonly defaultAdd: readonly string[];
  /** Whether a container must list each required drop by name, even if the container drops ALL. */
  readonly dropByName?: true;
}

/**
 * The capabilities that containers may add at the level baseline. The list is the historical default set of the
 * runtimes, without NET_RAW.
 */
export const BASELINE = addable('baseline', 'restricted');
export const RESTRICTED = addable('restricted');
/** The names that the API accepts in lists of capabilities. */
export const NAMES = ['ALL', ...CAPABILITIES];

/** A CEL expression of type list(string): the capabilities that the container adds. */
export const ADD = 'c.?securityContext.?capabilities.?add.orValue([])';
/** A CEL expression of type list(string): the capabilities that the container drops. */
export const DROP = 'c.?securityContext.?capabilities.?drop.orValue([])';

/** The maximum number of names in `add` or `drop` of a container. Rules loop over the names, and size.ts refuses more. */
export const MOST_NAMES = 256;

/** The lists that a policy applies. If the overrides lack a list, the list comes from the Standard. */
export function capabilitiesOf({ capabilities }: CapabilityPolicyOverrides, standard: Standard): Capabilities {
  const { level, minor } = standard;
  const own = levelsOwn(level, minor);
  const { defaultAdd = [], dropByName, requiredDrop = own.requiredDrop } = capabilities ?? {};
  const allowedAdd = [...new Set([...(capabilities?.allowedAdd ?? own.allowedAdd), ...defaultAdd])];
  const mapped = allowedAdd.includes('*')
    ? []
    : inUserNamespace({ capabilities }, standard).filter((name) => !allowedAdd.includes(name));
  return {
    allowedAdd,
    ...(mapped.length > 0 && { allowedAddInUserNamespace: mapped }),
    requiredDrop,
    defaultAdd,
    ...(dropByName && { dropByName }),
  };
}

/**
 * The capabilities in `allowedAddInUserNamespace` of the overrides. `allowedAdd` may contain some of these
 * capabilities, too.
 */
export function inUserNamespace(
  { capabilities }: Pick<CapabilityPolicyOverrides, 'capabilities'>,
  { server }: Standard,
): readonly string[] {
  return offers(server, 'userNamespaces') ? (capabilities?.allowedAddInUserNamespace ?? []) : [];
}

function levelsOwn(level: Level, minor: number): Pick<Capabilities, 'allowedAdd' | 'requiredDrop'> {
  if (level === 'privileged') return { allowedAdd: ['*'], requiredDrop: [] };
  const restricted = level === 'restricted' && minor >= 22;
  return restricted ? { allowedAdd: RESTRICTED, requiredDrop: ['ALL'] } : { allowedAdd: BASELINE, requiredDrop: [] };
}

function addable(...levels: readonly Level[]): string[] {
  const names = CAPABILITY_TABLE.filter(({ addableAt }) => levels.includes(addableAt)).map(({ name }) => name);
  return names.sort();
}

/**
 * A CEL expression of type bool: true if a list has too many names. The expression reads the lengths of the lists, but
 * not their items.
 */
export const TOO_MANY_NAMES = [ADD, DROP].map((list) => `${list}.size() > ${MOST_NAMES}`).join(' || ');

/** The columns of a row that contain the lists of capabilities. Several rules read these columns. */
export function listColumns(lists: Capabilities): Columns {
  return {
    allowedAdd: lists.allowedAdd,
    allowedAddInUserNamespace: lists.allowedAddInUserNamespace ?? [],
    requiredDrop: lists.requiredDrop,
    defaultAdd: lists.defaultAdd,
    dropByName: lists.dropByName ? ['Yes'] : [],
  };
}

/** A CEL expression of type bool, for a name `x`: true if the capability may not be added. */
export function isRefused(values: Values): Condition {
  return all(`!(x in ${values.list('allowedAdd')})`, not(isMapped(values, 'allowedAddInUserNamespace')));
}

/**
 * A CEL expression of type bool: true if the pod is in a user namespace, and the column contains the capability `x`.
 * @param column the column with the capabilities that are admitted in a user namespace
 */
export function isMapped(values: Values, column: string): Condition {
  const isListed = any(values.includes(column, '*'), `x in ${values.list(column)}`);
  return all(values.hasSome(column), isListed, IN_USER_NAMESPACE);
}

/**
 * A CEL expression of type string: the allowed capabilities as text for messages, such as `CHOWN, and with hostUsers:
 * false NET_ADMIN`.
 * @param mapped the column with the capabilities that a pod may add in a user namespace
 */
export function allowedText(values: Values, allowed: string, mapped: string): string {
  const inUserNamespace = choose(values.includes(mapped, '*'), '"any"', values.listed(mapped));
  return concat(
    values.listed(allowed),
    choose(values.hasSome(mapped), concat('", and with hostUsers: false "', inUserNamespace), '""'),
  );
}

/**
 * A CEL expression of type bool: true if a required drop is missing. If the policy does not require drops by name, a
 * drop of ALL counts as a drop of every capability.
 */
export function isMissing(values: Values): Condition {
  const required = values.list('requiredDrop');
  const someIsMissing = `!${required}.all(x, x in ${DROP})`;
  const byName = values.includes('dropByName', 'Yes');
  const isAllRequired = values.includes('requiredDrop', 'ALL');
  return any(all(byName, someIsMissing), all(not(byName), `!("ALL" in ${DROP})`, any(isAllRequired, someIsMissing)));
}

/**
 * A CEL expression of type list(string): the capabilities that the container will add after defaulting. If the
 * container drops a capability by name, defaulting does not add the capability. Defaulting also adds capabilities to a
 * container that drops ALL.
 */
export function filledAdd(values: Values): string {
  if (values.hasSome('defaultAdd') === false) return ADD;
  return `(${ADD} + ${values.list('defaultAdd')}.filter(x, !(x in ${ADD}) && !(x in ${DROP})))`;
}

/** A CEL expression of type list(string): the capabilities that the container will drop after defaulting. */
export function filledDrop(values: Values): string {
  return `(${isMissing(values)} ? ${DROP} + ${values.list('requiredDrop')}.filter(x, !(x in ${DROP})) : ${DROP})`;
}

/** The names as text for people, such as `NET_RAW, CHOWN` or `any capability`. */
export function namedInWords(names: readonly string[]): string {
  return names.includes('*') ? 'any capability' : names.join(', ');
}
