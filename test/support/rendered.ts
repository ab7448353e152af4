/** Compares the rendered objects in a cluster with the objects that result from compiling the cluster's policies. */
import { isDeepStrictEqual } from 'node:util';
import type { Api, Json } from '../../hack/controlplane/api.ts';
import { renderedObjects } from '../../hack/controlplane/rendered.ts';
import { completePolicy } from '../../operator/api/defaults.ts';
import { type Compiled, type CompileOptions, compile } from '../../operator/compile/compile.ts';
import { LABEL_PREFIX, podSecurityLabels } from '../../operator/compile/labels.ts';
import { lastAccepted } from '../../operator/state/accepted-specs.ts';
import { manifestsOf } from './compiled-objects.ts';

/** The key of the annotation with the labels that the operator set. */
const RECORD = 'capabilitypolicy.dev/labels';
export const POLICIES = '/apis/capabilitypolicy.dev/v1alpha1/capabilitypolicies';
export const NAMESPACES = '/api/v1/namespaces';

/**
 * The differences between the objects in the cluster and the objects that result from compiling the cluster's policies.
 * The differences are missing, changed and stale objects, and wrong labels.
 */
export async function differences(
  api: Api,
  options: CompileOptions,
  isChecked: (namespace: string) => boolean,
): Promise<string[]> {
  const [policies, live, namespaces] = await Promise.all([
    api.list(POLICIES),
    renderedObjects(api),
    api.list(NAMESPACES),
  ]);
  const compiled = compile(policies.map(completePolicy), {
    ...options,
    now: Date.now(),
    lastAccepted: lastAccepted(live),
  });
  const found = namespaces.filter(({ metadata }) => isChecked(metadata.name) && !metadata.deletionTimestamp);
  return [...objectDifferences(compiled, live), ...found.flatMap((one) => labelDifferences(compiled, one, options))];
}

function objectDifferences(compiled: Compiled, live: readonly Json[]): string[] {
  const existing = new Map(live.map((object) => [keyOf(object), object]));
  const wanted = manifestsOf(compiled);
  const keys = new Set(wanted.map(keyOf));
  return [
    ...wanted.flatMap((manifest) => {
      const object = existing.get(keyOf(manifest));
      if (!object) return [`${keyOf(manifest)} is missing`];
      const changed = changes(object, manifest);
      return changed.length === 0 ? [] : [`${keyOf(manifest)} is changed: ${changed.join('; ')}`];
    }),
    ...[...existing.keys()].filter((key) => !keys.has(key)).map((key) => `${key} is stale`),
  ];
}

function labelDifferences(compiled: Compiled, namespace: Json, { oldestServer }: CompileOptions): string[] {
  const { name, labels = {}, annotations = {} } = namespace.metadata;
  const wanted = podSecurityLabels(compiled.policies, labels, { oldestServer, podSecurityDefaults: {} });
  const existing = Object.fromEntries(Object.entries(labels).filter(([key]) => key.startsWith(LABEL_PREFIX)));
  // The record also says which policies with a rollout are enforced.
  const entries: readonly [string, unknown][] = Object.entries(JSON.parse(annotations[RECORD] ?? '{}'));
  const recorded = Object.fromEntries(entries.filter(([key]) => key.startsWith(LABEL_PREFIX)));
  if (isDeepStrictEqual(existing, wanted) && isDeepStrictEqual(recorded, wanted)) return [];
  return [`namespace ${name} has ${JSON.stringify(existing)} instead of ${JSON.stringify(wanted)}`];
}

/** The differences between the live value and the wanted value. Lists must have equal lengths. */
function changes(live: Json, wanted: unknown, path = ''): string[] {
  const differs = () => [`${path} is ${JSON.stringify(live)} instead of ${JSON.stringify(wanted)}`];
  if (Array.isArray(wanted)) {
    if (!Array.isArray(live) || live.length !== wanted.length) return differs();
    return wanted.flatMap((item, index) => changes(live[index], item, `${path}[${index}]`));
  }
  if (wanted === null || typeof wanted !== 'object') return live === wanted ? [] : differs();
  return Object.entries(wanted).flatMap(([key, value]) =>
    isEmpty(value) ? [] : changes(live?.[key], value, `${path}.${key}`),
  );
}

/** Whether a value is empty. The API server leaves out a field with an empty value. */
function isEmpty(value: unknown): boolean {
  return value === undefined || (Array.isArray(value) && value.length === 0);
}

function keyOf({ kind, metadata }: { kind: string; metadata: { name: string } }): string {
  return `${kind}/${metadata.name}`;
}
