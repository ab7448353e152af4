/**
 * What Argo CD does with an object that stands in Git, by its own means: kubectl's apply and diff, as the field manager
 * argocd-controller (argo-cd, common/common.go). It is administrator of the cluster, as in most.
 */
import { spawnSync } from 'node:child_process';
import type { ControlPlane } from '../controlplane/controlplane.ts';
import type { Json } from '../integration/api.ts';

/** Client-side is Argo CD's default, server-side what its option ServerSideApply=true makes of it: by force. */
export type How = 'client-side' | 'server-side';

export const TRACKING = 'argocd.argoproj.io/tracking-id';
/** The label by which Argo CD before 3.0 knew what is its own. */
const INSTANCE = 'app.kubernetes.io/instance';
const MANAGER = 'argocd-controller';

export class Argo {
  readonly #kubectl: readonly [program: string, ...args: string[]];

  constructor({ kubectl, kubeconfig }: Pick<ControlPlane, 'kubectl' | 'kubeconfig'>) {
    this.#kubectl = [kubectl, '--kubeconfig', kubeconfig];
  }

  /** @returns the object as it stands then */
  sync(object: Json, how: How = 'server-side'): Json {
    const { stdout } = this.#run(['apply', '-o', 'json', ...flags(how)], tracked(object), 0);
    return JSON.parse(stdout);
  }

  /** What a sync would change; empty when the object is in sync. */
  difference(object: Json, how: How = 'server-side'): string {
    return this.#run(['diff', ...flags(how)], tracked(object), 1).stdout;
  }

  #run(args: readonly string[], object: Json, most: number) {
    const [program, ...common] = this.#kubectl;
    const input = JSON.stringify(object);
    const ended = spawnSync(program, [...common, ...args, '-f', '-'], { input, encoding: 'utf8' });
    if ((ended.status ?? 2) > most) throw new Error(`kubectl ${args.join(' ')}: ${ended.stderr}`);
    return ended;
  }
}

/**
 * The object that is compared and applied with `ignoreDifferences: managedFieldsManagers` and RespectIgnoreDifferences=true:
 * of the labels that one of these managers owns, what stands counts, whatever Git says (argo-cd, util/argo/managedfields).
 */
export function respecting(managers: readonly string[], object: Json, live: Json): Json {
  const owned = live.metadata.managedFields
    .filter(({ manager }: Json) => managers.includes(manager))
    .flatMap(({ fieldsV1 }: Json) => Object.keys(fieldsV1['f:metadata']?.['f:labels'] ?? {}))
    .map((field: string) => field.replace(/^f:/, ''));
  const labels = Object.entries(object.metadata.labels ?? {}).map(([key, value]) => [
    key,
    owned.includes(key) ? live.metadata.labels[key] : value,
  ]);
  return { ...object, metadata: { ...object.metadata, labels: Object.fromEntries(labels) } };
}

/** Whether Argo CD would take the object for one of an Application's own, and prune it since Git has no such thing. */
export function isTracked({ metadata }: Json): boolean {
  return TRACKING in (metadata.annotations ?? {}) || INSTANCE in (metadata.labels ?? {});
}

/** With both marks by which Argo CD knows its own. */
function tracked({ metadata, ...rest }: Json): Json {
  const id = `platform:capabilitypolicy.dev/CapabilityPolicy:/${metadata.name}`;
  return {
    ...rest,
    metadata: {
      ...metadata,
      labels: { ...metadata.labels, [INSTANCE]: 'platform' },
      annotations: { ...metadata.annotations, [TRACKING]: id },
    },
  };
}

function flags(how: How): string[] {
  return [`--field-manager=${MANAGER}`, ...(how === 'server-side' ? ['--server-side', '--force-conflicts'] : [])];
}
