/**
 * Defines in CEL which units of a request a program evaluates. A new pod is one unit. An existing pod consists of three
 * units. OLD is the pod without the added containers. ADDED has the added containers. INHERITED has the fields that the
 * added containers inherit from the pod. See docs/decisions/0008.
 */

/**
 * The longest list that one loop evaluates. A longer list is split into blocks of this length. Until a loop ends,
 * cel-go keeps each step on a stack. At nearly every step, cel-go searches the whole stack (interpreter/runtimecost.go,
 * refValStack.drop). A loop over n items therefore takes time proportional to n².
 */
const BLOCK = 256;

/**
 * A CEL expression of type bool: true if the pod exceeds a bound of operator/rules/size.ts. A variable that iterates
 * over lists of the pod must first read this condition.
 */
export const IS_TOO_LARGE = 'variables.tooLarge != ""';

/** A CEL expression of type list(int): the positions in a block. */
export const POSITIONS = `[${Array.from({ length: BLOCK }, (_, i) => i).join(', ')}]`;

/** A CEL expression of type list(list): the items of a list, in blocks. */
export function blocksOf(list: string): string {
  const positions = `start + ${BLOCK} <= ${list}.size() ? variables.positions : variables.positions.filter(i, start + i < ${list}.size())`;
  const block = `(${positions}).map(i, ${list}[start + i])`;
  return `${list}.size() <= ${BLOCK} ? [${list}] : variables.positions.map(i, i * ${BLOCK}).filter(start, start < ${list}.size()).map(start, ${block})`;
}

/**
 * A CEL expression of type list(map): the units. Each unit has the containers and volumes that a message describes.
 * `cut` is true if containers or volumes were left out.
 */
export const DESCRIBED_UNITS = `variables.units.map(unit, ${mapOf({
  index: 'unit.index',
  pod: 'unit.pod',
  volumes: firstOf('unit.volumes'),
  containers: firstOf('unit.containers'),
  cut: `unit.volumes.size() > ${BLOCK} || unit.containers.size() > ${BLOCK}`,
})})`;

/** A CEL expression of type list(string): a note that a unit may have more violations than the message lists. */
export const CUT = `(unit.cut ? ["pod has more than ${BLOCK} containers or volumes: what is wrong with the others is not described"] : [])`;

function firstOf(list: string): string {
  return `${list}.size() <= ${BLOCK} ? ${list} : variables.positions.map(i, ${list}[i])`;
}

/** The index of each unit in the list of units. A new pod has only the first unit. */
export const UNIT = { OLD: 0, ADDED: 1, INHERITED: 2 } as const;

/**
 * A CEL expression of type list(string): the names of the volumes that added containers mount. A volume's name can't
 * contain a slash.
 */
const MOUNTED = ['volumeMounts', 'volumeDevices']
  .map((field) => `variables.added.map(c, c.?${field}.orValue([]).map(m, m.name).join("/")).join("/").split("/")`)
  .join(' + ');

/**
 * A CEL expression of type list(map): the units. The text of each check appears once, because the check iterates over
 * the units. `pod` is true if pod-level checks apply. `volumes` and `containers` are the items to evaluate.
 * `volumeBlocks` and `containerBlocks` have the same items in blocks, for loops over long lists. A pod that is too large
 * has no units, so no rule evaluates the pod.
 */
export const UNITS = [
  `(${IS_TOO_LARGE} ? [] : variables.ephemeral`,
  `? [${[
    unit(
      UNIT.OLD,
      'true',
      'variables.volumes',
      'variables.containers.filter(c, !variables.added.exists(a, a.name == c.name))',
    ),
    unit(UNIT.ADDED, 'false', '[]', 'variables.added'),
    unit(
      UNIT.INHERITED,
      'variables.added.size() > 0',
      `[${MOUNTED}].map(names, variables.volumes.filter(v, v.name in names))[0]`,
      '[]',
    ),
  ].join(', ')}]`,
  `: [${unit(UNIT.OLD, 'true', 'variables.volumes', 'variables.containers')}]).map(unit, ${mapOf({
    index: 'unit.index',
    pod: 'unit.pod',
    volumes: 'unit.volumes',
    containers: 'unit.containers',
    volumeBlocks: blocksOf('unit.volumes'),
    containerBlocks: blocksOf('unit.containers'),
  })})`,
].join(' ');

function unit(index: number, pod: string, volumes: string, containers: string): string {
  return mapOf({ index, pod, volumes, containers });
}

function mapOf(fields: Readonly<Record<string, unknown>>): string {
  return `{${Object.entries(fields)
    .map(([name, value]) => `${JSON.stringify(name)}: dyn(${value})`)
    .join(', ')}}`;
}
