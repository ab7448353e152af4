/** Implements defaulting without an API server. The functions fill in the fields of a pod as a policy requires. */
import { CelEngine } from '../../operator/evaluate/cel.ts';
import type { Container, PodContent, PodSpec } from '../../operator/model/objects.ts';
import { checksOf, fillsOf as fillsOfPolicy, type ResolvedPolicy } from '../../operator/policy/resolve.ts';
import type { Fill } from '../../operator/rules/rule.ts';

type Fields = Record<string, unknown>;

const engine = new CelEngine();

/** The changes by which a policy fills in fields, in the order of application. */
export function fillsOf(policy: ResolvedPolicy): Fill[] {
  return fillsOfPolicy(policy);
}

/** The policy with the checks that evaluate a pod after defaulting. */
export function evaluatingFilled(policy: ResolvedPolicy): ResolvedPolicy {
  return { ...policy, checks: checksOf(policy, true) };
}

/** Fills a new pod. The function fills the pod's own fields, its containers and its init containers. */
export function fillCreated(pod: PodContent, fills: readonly Fill[]): PodContent {
  const { spec } = pod;
  const containers = (list: readonly Container[]) => list.map((c) => fillContainer(pod, c, fills));
  const filled = fillPart(
    { ...spec },
    fills.filter(({ over }) => over === 'pod'),
    contextOf(pod),
  );
  return {
    ...pod,
    spec: {
      ...(filled as PodSpec),
      containers: containers(spec.containers),
      ...(spec.initContainers && { initContainers: containers(spec.initContainers) }),
    },
  };
}

/** Fills the ephemeral containers that are added to a pod. The function fills only the added containers. */
export function fillAdded(pod: PodContent, fills: readonly Fill[]): PodContent {
  const added = (pod.spec.ephemeralContainers ?? []).map((c) => fillContainer(pod, c, fills));
  return { ...pod, spec: { ...pod.spec, ephemeralContainers: added } };
}

function fillContainer(pod: PodContent, c: Container, fills: readonly Fill[]): Container {
  const own = fills.filter(({ over }) => over === 'containers');
  return fillPart({ ...c }, own, { ...contextOf(pod), c }) as Container;
}

/** Fills one part of a pod. All conditions and values are evaluated on the pod or container before the first change. */
function fillPart(part: Fields, fills: readonly Fill[], context: Fields): Fields {
  return fills
    .filter(({ when }) => engine.run(when, context) === true)
    .reduce((filled, { path, value }) => set(filled, path, plain(engine.run(value, context))), part);
}

function contextOf({ spec, annotations }: PodContent): Fields {
  return { variables: { spec, annotations } };
}

function set(part: Fields, [field = '', ...below]: readonly string[], value: unknown): Fields {
  return { ...part, [field]: below.length === 0 ? value : set((part[field] ?? {}) as Fields, below, value) };
}

/** Converts CEL's integers to numbers. CEL's integers are bigints. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
}
