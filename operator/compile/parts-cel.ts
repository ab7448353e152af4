/**
 * What is judged of a request, part by part, as CEL: of a pod that is created all of it at once; of a pod that exists the pod
 * as it was (OLD), the containers that are added (ADDED), and what these get from the pod (INHERITED): docs/decisions/0008.
 */

/** Where each part stands in the list. A pod that is created has only the first. */
export const PART = { OLD: 0, ADDED: 1, INHERITED: 2 } as const;

/** CEL, list(string): the names of the volumes that added containers mount. No volume's name has a slash. */
const MOUNTED = ['volumeMounts', 'volumeDevices']
  .map((field) => `variables.added.map(c, c.?${field}.orValue([]).map(m, m.name).join("/")).join("/").split("/")`)
  .join(' + ');

/**
 * CEL, list(map): the parts. Each check goes through them, so that its text is there once. `pod` tells whether the checks of
 * the pod count, `volumes` and `containers` are those that are looked at.
 */
export const PARTS = [
  'variables.ephemeral',
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
  `: [${part(PART.OLD, 'true', 'variables.volumes', 'variables.containers')}]`,
].join(' ');

function part(index: number, pod: string, volumes: string, containers: string): string {
  const fields = { index, pod, volumes, containers };
  return `{${Object.entries(fields)
    .map(([name, value]) => `${JSON.stringify(name)}: dyn(${value})`)
    .join(', ')}}`;
}
