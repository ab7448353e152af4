/**
 * The bounds for the lists of a pod. The API server and the operator evaluate no rule on a pod that exceeds a bound.
 * The time of a loop in CEL grows with the square of the loop's length (compile/units-cel.ts). Without the bounds, one
 * pod of 1.4 MB would cost the API server seconds of CPU time.
 *
 * The bounds apply to every policy that restricts anything, whatever its overrides are. An override that admits more
 * therefore never refuses a pod because of its size.
 */
import { ADD, DROP, MOST_NAMES } from './capability-lists.ts';
import { SOURCES } from './token-volume.ts';

/** The rule's name in the violation of a pod that exceeds a bound. No override of a policy changes the bounds. */
export const SIZE_RULE = 'size';

/** The maximum number of items in most lists, for the whole pod. */
const MOST_ITEMS = 1_024;
/** The maximum number of mounts of a pod. A Tekton pod of 60 steps has 4,000 mounts. */
const MOST_MOUNTS = 10_000;

interface Bound {
  /** A CEL expression of type bool: true if the pod exceeds the bound. */
  readonly exceeded: string;
  /** The beginning of the message, which completes a sentence that begins with `pod `. */
  readonly limit: string;
  /** A CEL expression of type string: the rest of the message, with the length of the list. */
  readonly length: string;
  /** The path of the list below the PodSpec. */
  readonly path: string;
}

function most(items: string, path: string, size: string, limit = MOST_ITEMS): Bound {
  return {
    exceeded: `${size} > ${limit}`,
    limit: `must not have more than ${limit} ${items}`,
    length: `" (it has " + string(${size}) + ")"`,
    path,
  };
}

function mostNames(field: 'add' | 'drop', list: string): Bound {
  const isTooLong = `${list}.size() > ${MOST_NAMES}`;
  return {
    exceeded: `variables.containers.exists(c, ${isTooLong})`,
    limit: `must not list more than ${MOST_NAMES} names in securityContext.capabilities.${field} of a container`,
    length: `variables.containers.filter(c, ${isTooLong}).map(c, " (container " + c.name + " lists " + string(${list}.size()) + ")")[0]`,
    path: 'containers',
  };
}

/** A CEL expression of type int: the total size of a list in all containers. */
function ofContainers(list: string): string {
  return `variables.containers.map(c, ${list}).sum()`;
}

const sizeOf = (list: string) => `${list}.orValue([]).size()`;
const inPod = (field: string) => sizeOf(`variables.spec.?${field}`);
const inContainer = (field: string) => sizeOf(`c.?${field}`);

/**
 * The first bounds limit the numbers of containers and volumes, because later bounds iterate over containers and
 * volumes. For each template of a volume claim, a controller adds a volume to its pods.
 */
const BOUNDS: readonly Bound[] = [
  most('containers', 'containers', 'variables.containers.size()'),
  most('volumes', 'volumes', `${inPod('volumes')} + variables.claims.size()`),
  most('sysctls', 'securityContext.sysctls', inPod('securityContext.?sysctls')),
  most('supplemental groups', 'securityContext.supplementalGroups', inPod('securityContext.?supplementalGroups')),
  most('ports', 'containers', ofContainers(inContainer('ports'))),
  most('mounts', 'containers', ofContainers(inContainer('volumeMounts')), MOST_MOUNTS),
  most(
    'sources of projected volumes',
    'volumes',
    `variables.spec.?volumes.orValue([]).map(v, ${SOURCES}.size()).sum()`,
  ),
  mostNames('add', ADD),
  mostNames('drop', DROP),
];

/**
 * A CEL expression of type string: the message about the first exceeded bound. If the pod exceeds no bound, the string
 * is empty. The expression reads three variables: `spec`, `containers` (containers of all kinds), and `claims` (the
 * names of the template's volume claims).
 */
export const TOO_LARGE = `${BOUNDS.map(({ exceeded, limit, length }) => `${exceeded} ? ${JSON.stringify(limit)} + ${length} : `).join('')}""`;

/** The path of the list below the PodSpec. @param message the result of `TOO_LARGE` */
export function pathOfSize(message: string): string {
  return BOUNDS.find(({ limit }) => message.startsWith(`${limit} (`))?.path ?? '';
}
