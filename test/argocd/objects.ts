/** The objects that tests of Argo CD commit. */
import type { Json } from '../../hack/controlplane/api.ts';
import type { CapabilityPolicySpec } from '../../operator/api/capability-policy.ts';
import { privilegedPod } from '../support/pod-manifests.ts';
import { policyManifest } from '../support/policies.ts';
import type { Probe } from '../upgrade/prober.ts';

export const ENFORCE = 'pod-security.kubernetes.io/enforce';
export const SERVER_SIDE = 'ServerSideApply=true';
const OPTIONS = 'argocd.argoproj.io/sync-options';
const WAVE = 'argocd.argoproj.io/sync-wave';

/**
 * The way in which Argo CD applies and compares. Since version 3.6, Argo CD uses server-side diff with server-side
 * apply.
 */
export interface Mode {
  readonly title: string;
  readonly options: readonly string[];
  readonly annotations?: Readonly<Record<string, string>>;
}

export const CLIENT_SIDE_APPLY: Mode = { title: 'client-side apply', options: [] };
export const SERVER_SIDE_APPLY: Mode = { title: 'server-side apply', options: [SERVER_SIDE] };
export const MODES: readonly Mode[] = [
  CLIENT_SIDE_APPLY,
  SERVER_SIDE_APPLY,
  { title: 'client-side apply, server-side diff', options: [], annotations: compare('ServerSideDiff=true') },
  {
    title: 'server-side apply, client-side diff',
    options: [SERVER_SIDE],
    annotations: compare('ServerSideDiff=false'),
  },
];
export const REPLACE: Mode = { title: 'Replace=true', options: ['Replace=true'] };

export interface Marks {
  readonly options?: string;
  readonly wave?: number;
}

/**
 * A policy for the namespaces whose label `environment` equals the policy's name. By default, the policy enforces the
 * level restricted.
 */
export function policyOf(name: string, spec: Partial<CapabilityPolicySpec> = {}, marks: Marks = {}): Json {
  return policyManifest(
    { name, ...annotationsOf(marks) },
    { namespaceSelector: { matchLabels: { environment: name } }, level: 'restricted', mode: 'Enforce', ...spec },
  );
}

export function namespaceOf(name: string, labels: Readonly<Record<string, string>>, marks: Marks = {}): Json {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels, ...annotationsOf(marks) } };
}

/** A pod that no policy in Git admits. If the API server admits this pod, no policy is in force. */
export function privilegedProbe(namespace: string): Probe {
  return { title: 'a privileged pod', pod: privilegedPod(), namespace, expected: () => 'refused' };
}

/** The name of the way of applying, such as `client-side-apply`, for use in object names. */
export function slug({ title }: Mode): string {
  return title.toLowerCase().replaceAll(/[^a-z]+/g, '-');
}

function annotationsOf({ options, wave }: Marks): object {
  const annotations = { ...(options && { [OPTIONS]: options }), ...(wave !== undefined && { [WAVE]: String(wave) }) };
  return Object.keys(annotations).length > 0 ? { annotations } : {};
}

function compare(option: string): Readonly<Record<string, string>> {
  return { 'argocd.argoproj.io/compare-options': option };
}
