/**
 * CEL expressions for admission policies. The expressions read the pod of a request. The file also computes the cost of
 * checking a pod.
 */
import { CONTROLLERS, TEMPLATE_PATH, WORKLOAD_KINDS } from '../model/workload-kinds.ts';
import type { RuleChecks } from '../policy/resolve.ts';
import type { Check } from '../rules/rule.ts';
import { TOO_LARGE } from '../rules/size.ts';
import type { Variable } from './bound-variables.ts';
import { RESOURCE } from './match.ts';
import { DESCRIBED_UNITS, IS_TOO_LARGE, POSITIONS, UNITS } from './units-cel.ts';

/**
 * Matches the tokens of a CEL expression: names, fields, operators, literals and macros that loop. In each evaluation,
 * a token costs about one CEL cost unit.
 */
export const TOKEN = /\.(?:all|exists|filter|map)\(|[A-Za-z_]\w*|"[^"]*"|\d+|[=!<>]=|&&|\|\||[!?<>+()]/g;
/**
 * The maximum length of an expression, in characters. The maximum is the default of github.com/google/cel-go/parser.
 */
export const EXPRESSION_BUDGET = 100_000;
/** The checks of a pod with up to this number of containers stay within the cost limit. */
export const CONTAINERS = 100;

/**
 * A CEL expression of type map(string, string). For each resource with a template, the map has the service account of
 * the controller that creates the pods.
 */
const CONTROLLER = `{${CONTROLLERS.map(({ resource, serviceAccount }) => `"${resource}": "${serviceAccount}"`).join(', ')}}`;

/** The ways to read the pod or template of a request in CEL. */
const POD = [
  `${RESOURCE} == "pods" ? dyn(object)`,
  ...WORKLOAD_KINDS.filter(({ template }) => template !== TEMPLATE_PATH).map(
    ({ resource, template }) => `${RESOURCE} == "${resource}" ? dyn(object).${template.join('.')}`,
  ),
  `dyn(object).${TEMPLATE_PATH.join('.')}`,
].join(' : ');

const VOLUMES = 'variables.spec.?volumes.orValue([])';

/**
 * A CEL expression of type list(string): the names of the template's volume claims. For each claim, the controller adds
 * a volume to its pods.
 */
const CLAIMS = WORKLOAD_KINDS.reduceRight(
  (others, { resource, claims }) =>
    claims
      ? `${RESOURCE} == "${resource}" ? dyn(object).${claims.slice(0, -1).join('.')}.?${claims.at(-1)}.orValue([]).map(t, t.?metadata.?name.orValue("")) : ${others}`
      : others,
  '[]',
);

/** A CEL expression of type bool: true if the request adds ephemeral containers to an existing pod. */
export const EPHEMERAL = 'has(request.subResource) && request.subResource == "ephemeralcontainers"';

/**
 * The CEL variables about the pod of a request. `dyn` is necessary because the admission policy matches several kinds,
 * and the API server type-checks an expression against every kind. The path to the pod differs between the kinds.
 */
export const POD_VARIABLES: readonly Variable[] = [
  { name: 'ephemeral', expression: EPHEMERAL },
  { name: 'positions', expression: POSITIONS },
  { name: 'pod', expression: POD },
  { name: 'spec', expression: 'variables.pod.spec' },
  { name: 'annotations', expression: 'variables.pod.?metadata.?annotations.orValue({})' },
  {
    name: 'containers',
    expression:
      'variables.spec.?initContainers.orValue([]) + variables.spec.?containers.orValue([]) + variables.spec.?ephemeralContainers.orValue([])',
  },
  { name: 'claims', expression: CLAIMS },
  { name: 'tooLarge', expression: TOO_LARGE },
  {
    // A volume claim template replaces the volume of the same name, as in operator/projection/pod-projection.ts.
    name: 'volumes',
    expression: `variables.claims.size() == 0 ? ${VOLUMES} : ${IS_TOO_LARGE} ? [] : ${VOLUMES}.filter(v, !(v.name in variables.claims)) + variables.claims.map(n, {"name": dyn(n), "persistentVolumeClaim": dyn({})})`,
  },
  {
    // The API server forbids changes and removals of existing ephemeral containers
    // (ValidatePodEphemeralContainersUpdate).
    name: 'added',
    expression: `${IS_TOO_LARGE} ? [] : variables.spec.?ephemeralContainers.orValue([]).filter(c, !dyn(oldObject).spec.?ephemeralContainers.orValue([]).exists(o, o.name == c.name))`,
  },
  { name: 'units', expression: UNITS },
  { name: 'describedUnits', expression: DESCRIBED_UNITS },
  // When an object is created, its creationTimestamp is the time of the request. In an update, the creationTimestamp is
  // earlier than the request. The API server sets the creationTimestamp before validation, and ignores a value in the
  // request.
  { name: 'created', expression: 'timestamp(dyn(object).metadata.creationTimestamp)' },
  { name: 'serviceAccount', expression: 'variables.spec.?serviceAccountName.orValue("default")' },
  { name: 'controller', expression: `${CONTROLLER}[?${RESOURCE}].orValue("")` },
];

/** How often each check runs for a pod of CONTAINERS containers and CONTAINERS volumes. */
const TIMES = { pod: 1, containers: CONTAINERS, volumes: CONTAINERS };
/**
 * How often each check runs for an existing pod. The added containers inherit fields from the pod. The checks of the
 * pod and of its volumes therefore run again for the added containers.
 */
const TIMES_IN_PARTS = { pod: 2, containers: CONTAINERS, volumes: 2 * CONTAINERS };

/**
 * Returns the highest cost that the API server charges for a pod of CONTAINERS containers. The pod may be an existing
 * pod, which the program evaluates unit by unit.
 */
export function costInUnits(ofRules: readonly RuleChecks[]): number {
  return sumOf(
    checksOf(ofRules),
    ({ over, violates, reaches = '' }) =>
      TIMES_IN_PARTS[over] * costOfText(violates) + CONTAINERS * costOfText(reaches),
  );
}

/**
 * Adds up the costs of the checks. For each container, the sum includes the checks of one entry of spec.containers. The
 * sum also includes the search for the entry that selects the container.
 */
function sumOf(checks: readonly Check[], cost: (check: Check) => number): number {
  const sum = (some: readonly Check[]) => some.reduce((total, check) => total + cost(check), 0);
  const entries = Map.groupBy(
    checks.filter(({ entry }) => entry !== undefined),
    ({ entry }) => entry,
  );
  const looking = checks.map(({ over, entry }) => (entry === undefined ? 0 : TIMES[over] * costOfText(entry)));
  return (
    sum(checks.filter(({ entry }) => entry === undefined)) +
    Math.max(0, ...[...entries.values()].map(sum)) +
    looking.reduce((total, one) => total + one, 0)
  );
}

function checksOf(ofRules: readonly RuleChecks[]): Check[] {
  return ofRules.flatMap(({ checks }) => checks);
}

/** The cost of a CEL expression. Brackets cost nothing. */
function costOfText(text: string): number {
  return [...text.matchAll(TOKEN)].filter(([token]) => token !== '(' && token !== ')').length;
}
