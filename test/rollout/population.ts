/**
 * Creates the objects of a campaign. In some of the namespaces, objects violate the level restricted.
 */
import type { Api, Json } from '../../hack/controlplane/api.ts';
import { createNamespace } from '../support/harness.ts';
import { baselinePod, restrictedPod } from '../support/pod-manifests.ts';
import { NAMESPACES, POLICIES } from '../support/rendered.ts';
import type { Truth } from './truth.ts';

/** The policy that is rolled out. */
export const POLICY = 'campaign';
/**
 * A policy with a lower priority that is enforced everywhere from the beginning. The policy also refuses pods in
 * pending namespaces.
 */
export const LOWER = 'campaign-lower';
/** The rollout label as literal text, because the campaign shares no code with the operator. */
export const PENDING_LABEL = `rollout.capabilitypolicy.dev/${POLICY}`;
export const SELECTED = { campaign: 'rollout' };

/**
 * The way in which a namespace violates the policy. The violation is a Deployment with 0 replicas, a CronJob's pod that
 * lives for a second, or a permanent pod. A `clean` namespace has no violation.
 */
export type Kind = 'clean' | 'deployment' | 'cron' | 'pod';
const VIOLATING: readonly Kind[] = ['deployment', 'cron', 'pod'];

export interface CampaignNamespace {
  readonly name: string;
  readonly kind: Kind;
}

export function newNamespaces(namespaces: number, violatingPercent: number): CampaignNamespace[] {
  const violating = Math.ceil((namespaces * violatingPercent) / 100);
  const step = Math.max(1, Math.floor(namespaces / Math.max(1, violating)));
  return Array.from({ length: namespaces }, (_, index) => {
    const isViolating = index % step === 0 && index / step < violating;
    const kind = isViolating ? (VIOLATING[(index / step) % VIOLATING.length] ?? 'pod') : 'clean';
    return { name: `campaign-${index}`, kind };
  });
}

/** Creates the objects of a campaign in parallel. Creating 500 namespaces one after the other would take minutes. */
export async function populate(api: Api, namespaces: readonly CampaignNamespace[], truth: Truth): Promise<void> {
  const left = [...namespaces];
  const worker = async () => {
    for (let namespace = left.shift(); namespace; namespace = left.shift()) {
      const { name, kind } = namespace;
      await createNamespace(api, name, SELECTED);
      await api.apply(deploymentPath(name), deployment(kind !== 'deployment'));
      if (kind === 'deployment') truth.begins(name, 'Deployment web');
      if (kind !== 'pod') continue;
      await api.create(`${NAMESPACES}/${name}/pods`, pod('stays', true));
      truth.begins(name, 'Pod stays');
    }
  };
  await Promise.all(Array.from({ length: 16 }, worker));
}

/** A pod that the level baseline admits. If `violates` is set, the pod violates the level restricted. */
export function pod(name: string, violates: boolean, owner?: Json): object {
  const metadata = { name, ...(owner && { ownerReferences: [owner] }) };
  return { ...(violates ? baselinePod() : restrictedPod()), metadata };
}

export function deploymentPath(namespace: string): string {
  return `/apis/apps/v1/namespaces/${namespace}/deployments/web`;
}

/** A Deployment without replicas. Only its template can violate. */
export function deployment(complies: boolean): object {
  const labels = { app: 'web' };
  const { spec } = (complies ? restrictedPod() : baselinePod()) as { spec: object };
  const template = { metadata: { labels }, spec };
  const metadata = { name: 'web' };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata,
    spec: { replicas: 0, selector: { matchLabels: labels }, template },
  };
}

/**
 * A CronJob that never starts a Job. The template of the CronJob complies. A client makes its pods instead. The pods
 * differ from the template, as if a mutating webhook had changed the pods.
 */
export async function cronJob(api: Api, namespace: string): Promise<Json> {
  const { spec } = restrictedPod() as { spec: object };
  const template = { spec: { ...spec, restartPolicy: 'Never' } };
  const { kind, apiVersion, metadata } = await api.apply(`/apis/batch/v1/namespaces/${namespace}/cronjobs/nightly`, {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name: 'nightly' },
    spec: { schedule: '0 0 1 1 *', suspend: true, jobTemplate: { spec: { template } } },
  });
  return { kind, apiVersion, name: metadata.name, uid: metadata.uid, controller: true };
}

export async function applyLower(api: Api): Promise<void> {
  await apply(api, LOWER, { level: 'baseline', mode: 'Enforce' });
}

export async function applyRollout(api: Api, soakMs: number, namespacesPerHour: number): Promise<void> {
  const rollout = { soak: `${soakMs / 1000}s`, namespacesPerHour };
  await apply(api, POLICY, { level: 'restricted', mode: 'Enforce', priority: 10, rollout });
}

async function apply(api: Api, name: string, spec: object): Promise<void> {
  await api.apply(`${POLICIES}/${name}`, {
    apiVersion: 'capabilitypolicy.dev/v1alpha1',
    kind: 'CapabilityPolicy',
    metadata: { name },
    spec: { namespaceSelector: { matchLabels: SELECTED }, ...spec },
  });
}
