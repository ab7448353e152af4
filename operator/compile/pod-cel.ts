/** A request's pod, and what is wrong with it, as CEL of an admission policy. */
import { CONTROLLERS } from '../policy/controllers.ts';
import { checksOver, type RuleChecks } from '../policy/resolve.ts';
import type { Check } from '../rules/rule.ts';
import type { Variable } from './bound-variables.ts';
import { RESOURCE } from './match.ts';
import { blocksOf, DESCRIBED_PARTS, PART, PARTS, POSITIONS } from './parts-cel.ts';

/** A name, a field, an operator or a literal: each costs about 1 whenever it is evaluated. And what evaluates often. */
export const TOKEN = /\.(?:all|exists|filter|map)\(|[A-Za-z_]\w*|"[^"]*"|\d+|[=!<>]=|&&|\|\||[!?<>+()]/g;
/** In characters: what github.com/google/cel-go/parser takes, unless told otherwise. */
export const EXPRESSION_BUDGET = 100_000;
/** Of the largest pods that are reckoned with. */
export const CONTAINERS = 100;

/** CEL, map(string, string): a template's resource → the service account that creates its pods. */
const CONTROLLER = `{${CONTROLLERS.map(({ resource, serviceAccount }) => `"${resource}": "${serviceAccount}"`).join(', ')}}`;

/** CEL, bool: the pod exists, and ephemeral containers are added to it. */
const EPHEMERAL = 'has(request.subResource) && request.subResource == "ephemeralcontainers"';

/**
 * The pod that a request is about. `dyn`: the API server type-checks a text against every kind that its policy matches,
 * and the kinds differ in where the pod stands.
 */
export const POD_VARIABLES: readonly Variable[] = [
  { name: 'ephemeral', expression: EPHEMERAL },
  { name: 'positions', expression: POSITIONS },
  {
    name: 'pod',
    expression: `${RESOURCE} == "pods" ? dyn(object) : ${RESOURCE} == "podtemplates" ? dyn(object).template : ${RESOURCE} == "cronjobs" ? dyn(object).spec.jobTemplate.spec.template : dyn(object).spec.template`,
  },
  { name: 'spec', expression: 'variables.pod.spec' },
  { name: 'annotations', expression: 'variables.pod.?metadata.?annotations.orValue({})' },
  {
    name: 'containers',
    expression:
      'variables.spec.?initContainers.orValue([]) + variables.spec.?containers.orValue([]) + variables.spec.?ephemeralContainers.orValue([])',
  },
  { name: 'volumes', expression: 'variables.spec.?volumes.orValue([])' },
  { name: 'containerBlocks', expression: blocksOf('variables.containers') },
  { name: 'volumeBlocks', expression: blocksOf('variables.volumes') },
  {
    // The API server lets nobody change or remove those that are there (ValidatePodEphemeralContainersUpdate).
    name: 'added',
    expression:
      'variables.spec.?ephemeralContainers.orValue([]).filter(c, !dyn(oldObject).spec.?ephemeralContainers.orValue([]).exists(o, o.name == c.name))',
  },
  { name: 'parts', expression: PARTS },
  { name: 'describedParts', expression: DESCRIBED_PARTS },
  { name: 'namespaceLabels', expression: 'namespaceObject.metadata.?labels.orValue({})' },
  { name: 'serviceAccount', expression: 'variables.spec.?serviceAccountName.orValue("default")' },
  { name: 'controller', expression: `${CONTROLLER}[?${RESOURCE}].orValue("")` },
];

/**
 * CEL, bool: the pod with all that is in it complies. Goes through the containers once, and stops where something is
 * violated: most pods comply, and to list that they do costs twice as much.
 */
export function compliesCel(ofRules: readonly RuleChecks[]): string {
  return noneViolated(ofRules, { pod: undefined, in: 'variables' });
}

/** CEL, bool: the part `part` complies. */
export function partCompliesCel(ofRules: readonly RuleChecks[]): string {
  return noneViolated(ofRules, { pod: 'part.pod', in: 'part' });
}

function noneViolated(ofRules: readonly RuleChecks[], scope: { pod: string | undefined; in: string }): string {
  const none = (over: Check['over']) =>
    checksOver(ofRules, over)
      .map((check) => `!(${scope.pod === undefined ? check.violates : violatesPart(check)})`)
      .join(' && ');
  const [pod, containers, volumes] = [none('pod'), none('containers'), none('volumes')];
  const conditions = [
    ...(pod === '' ? [] : [scope.pod === undefined ? `(${pod})` : `(!${scope.pod} || (${pod}))`]),
    // Fewer than volumes, and more often what is violated.
    ...(containers === '' ? [] : [`${scope.in}.containerBlocks.all(block, block.all(c, ${containers}))`]),
    ...(volumes === '' ? [] : [`${scope.in}.volumeBlocks.all(block, block.all(v, ${volumes}))`]),
  ];
  return conditions.join(' && ') || 'true';
}

/** CEL, bool: what is wrong with a pod counts for an added container unless the container does not get it. */
function violatesPart({ violates, reaches, atCreation }: Check): string {
  if (atCreation) return `!variables.ephemeral && (${violates})`;
  if (reaches === undefined) return violates;
  return `(${violates}) && (part.index != ${PART.INHERITED} || variables.added.exists(c, ${reaches}))`;
}

/** CEL, list(string): one line per violation of the part `part` of those that are described, as operator/evaluate describes them. */
export function violationsCel(ofRules: readonly RuleChecks[]): string {
  const lists = ofRules.flatMap(({ rule, checks }) => checks.map((check) => checkCel(rule, check)));
  return lists.length === 0 ? '[]' : lists.join(' + ');
}

function checkCel(rule: string, check: Check): string {
  const { over, message } = check;
  switch (over) {
    case 'pod':
      return `(part.pod && (${violatesPart(check)}) ? [${JSON.stringify(`${rule}: pod `)} + (${message})] : [])`;
    case 'containers':
      return `part.containers.filter(c, ${violatesPart(check)}).map(c, ${JSON.stringify(`${rule}: container "`)} + c.name + "\\" " + (${message}))`;
    case 'volumes':
      return `part.volumes.filter(v, ${violatesPart(check)}).map(v, ${JSON.stringify(`${rule}: volume "`)} + v.name + "\\" " + (${message}))`;
  }
}

/** How often each check is run for a pod of CONTAINERS containers and as many volumes. */
const TIMES = { pod: 1, containers: CONTAINERS, volumes: CONTAINERS };
/** Of a pod that exists, its checks and those of its volumes are run once more for what added containers get of them. */
const TIMES_IN_PARTS = { pod: 2, containers: CONTAINERS, volumes: 2 * CONTAINERS };

/**
 * What the API server charges at most for such a pod.
 * @param items how many each list in a container or volume has: of capabilities, of ports
 */
export function costOf(ofRules: readonly RuleChecks[], items = 1): number {
  return checksOf(ofRules).reduce((sum, { over, violates }) => sum + TIMES[over] * costOfText(violates, items), 0);
}

/** The same, where the pod may exist already and is judged part by part. */
export function costInParts(ofRules: readonly RuleChecks[]): number {
  return checksOf(ofRules).reduce(
    (sum, { over, violates, reaches = '' }) =>
      sum + TIMES_IN_PARTS[over] * costOfText(violates, 1) + CONTAINERS * costOfText(reaches, 1),
    0,
  );
}

function checksOf(ofRules: readonly RuleChecks[]): Check[] {
  return ofRules.flatMap(({ checks }) => checks);
}

function costOfText(text: string, items: number): number {
  let cost = 0;
  const times = [1];
  for (const [token] of text.matchAll(TOKEN)) {
    const now = times.at(-1) ?? 1;
    if (token === ')') times.pop();
    else if (token === '(') times.push(now);
    else cost += now;
    if (token.startsWith('.')) times.push(now * items);
  }
  return cost;
}
