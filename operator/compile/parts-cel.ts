/**
 * What is judged of a request, part by part, as CEL: of a pod that is created all of it at once; of a pod that exists the pod
 * as it was (OLD), the containers that are added (ADDED), and what these get from the pod (INHERITED): docs/decisions/0008.
 */

/**
 * A list of so many items is evaluated in one loop; longer ones in blocks of so many. Until a loop ends, cel-go keeps each
 * step on a stack and searches all of it at nearly every step (interpreter/runtimecost.go, refValStack.drop): a loop of
 * n items takes time proportional to n².
 */
const BLOCK = 256;

/** CEL, list(int): the positions in a block. */
export const POSITIONS = `[${Array.from({ length: BLOCK }, (_, i) => i).join(', ')}]`;

/** To make blocks costs 18 for each item, of the 1,000,000 that the API server grants an expression: longer lists have one block. */
const MOST_IN_BLOCKS = 64 * BLOCK;

/** CEL, list(list): the same items in blocks. */
export function blocksOf(list: string): string {
  const isOneBlock = `${list}.size() <= ${BLOCK} || ${list}.size() > ${MOST_IN_BLOCKS}`;
  const positions = `start + ${BLOCK} <= ${list}.size() ? variables.positions : variables.positions.filter(i, start + i < ${list}.size())`;
  const block = `(${positions}).map(i, ${list}[start + i])`;
  return `${isOneBlock} ? [${list}] : variables.positions.map(i, i * ${BLOCK}).filter(start, start < ${list}.size()).map(start, ${block})`;
}

/** CEL, list(map): the parts, with as many containers and volumes as a message describes, and whether it leaves out any. */
export const DESCRIBED_PARTS = `variables.parts.map(part, ${mapOf({
  index: 'part.index',
  pod: 'part.pod',
  volumes: firstOf('part.volumes'),
  containers: firstOf('part.containers'),
  cut: `part.volumes.size() > ${BLOCK} || part.containers.size() > ${BLOCK}`,
})})`;

/** CEL, list(string), of a part that is described: that more may be wrong than is said. */
export const CUT = `(part.cut ? ["pod has more than ${BLOCK} containers or volumes: what is wrong with the others is not described"] : [])`;

function firstOf(list: string): string {
  return `${list}.size() <= ${BLOCK} ? ${list} : variables.positions.map(i, ${list}[i])`;
}

/** Where each part stands in the list. A pod that is created has only the first. */
export const PART = { OLD: 0, ADDED: 1, INHERITED: 2 } as const;

/** CEL, list(string): the names of the volumes that added containers mount. No volume's name has a slash. */
const MOUNTED = ['volumeMounts', 'volumeDevices']
  .map((field) => `variables.added.map(c, c.?${field}.orValue([]).map(m, m.name).join("/")).join("/").split("/")`)
  .join(' + ');

/**
 * CEL, list(map): the parts. Each check goes through them, so that its text is there once. `pod` tells whether the checks of
 * the pod count, `volumes` and `containers` are those that are looked at; the blocks are the same, for loops that may be long.
 */
export const PARTS = [
  '(variables.ephemeral',
  `? [${[
    part(
      PART.OLD,
      'true',
      'variables.volumes',
      'variables.containers.filter(c, !variables.added.exists(a, a.name == c.name))',
    ),
    part(PART.ADDED, 'false', '[]', 'variables.added'),
    part(
      PART.INHERITED,
      'variables.added.size() > 0',
      `[${MOUNTED}].map(names, variables.volumes.filter(v, v.name in names))[0]`,
      '[]',
    ),
  ].join(', ')}]`,
  `: [${part(PART.OLD, 'true', 'variables.volumes', 'variables.containers')}]).map(part, ${mapOf({
    index: 'part.index',
    pod: 'part.pod',
    volumes: 'part.volumes',
    containers: 'part.containers',
    volumeBlocks: blocksOf('part.volumes'),
    containerBlocks: blocksOf('part.containers'),
  })})`,
].join(' ');

function part(index: number, pod: string, volumes: string, containers: string): string {
  return mapOf({ index, pod, volumes, containers });
}

function mapOf(fields: Readonly<Record<string, unknown>>): string {
  return `{${Object.entries(fields)
    .map(([name, value]) => `${JSON.stringify(name)}: dyn(${value})`)
    .join(', ')}}`;
}
