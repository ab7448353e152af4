/** Runs the operator in the same way as its Deployment. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { request } from 'undici';
import type { Api } from '../../hack/controlplane/api.ts';
import { NAMESPACES } from './rendered.ts';
import { CONFIG } from './rights.ts';

interface Ports {
  readonly health: number;
  readonly metrics: number;
}

interface Container {
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly image: string;
  readonly ports?: readonly { readonly containerPort: number }[];
  readonly readinessProbe?: object;
}

export interface Deployment {
  readonly spec: { readonly template: { readonly metadata: object; readonly spec: { containers: Container[] } } };
}

/** The Deployment of config/manager. */
export function deployment(): Deployment {
  return load(readFileSync(join(CONFIG, 'manager', 'manager.yaml'), 'utf8')) as Deployment;
}

/** The operator's flags in the Deployment. */
export function flagsOf(from: Deployment): readonly string[] {
  return container(from).args;
}

/**
 * The operator's flags in the Deployment, but with other ports. The Deployment's ports may be in use, because another
 * operator may run on the same machine.
 */
export function operatorFlags(ports: Ports, from: Deployment): string[] {
  return flagsOf(from).map((flag) =>
    flag.replace(/^(--(health-probe|metrics)-bind-address=).*/, (_, name: string, which: string) => {
      return `${name}127.0.0.1:${which === 'metrics' ? ports.metrics : ports.health}`;
    }),
  );
}

/** Node's flags in the Deployment. */
export function nodeFlags(from: Deployment): string[] {
  return container(from).command.filter((word) => word.startsWith('--'));
}

/** Creates the token of a service account that may read metrics. A missing service account is created. */
export async function newToken(api: Api, namespace: string, name: string): Promise<string> {
  const account = `${NAMESPACES}/${namespace}/serviceaccounts/${name}`;
  await api.apply(account, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name } });
  const apiGroup = 'rbac.authorization.k8s.io';
  const role = readFileSync(join(CONFIG, 'prometheus', 'metrics_reader_role.yaml'), 'utf8');
  await api.apply(`/apis/${apiGroup}/v1/clusterroles/capabilitypolicy-metrics-reader`, role);
  const binding = `metrics-reader-${namespace}-${name}`;
  await api.apply(`/apis/${apiGroup}/v1/clusterrolebindings/${binding}`, {
    apiVersion: `${apiGroup}/v1`,
    kind: 'ClusterRoleBinding',
    metadata: { name: binding },
    roleRef: { apiGroup, kind: 'ClusterRole', name: 'capabilitypolicy-metrics-reader' },
    subjects: [{ kind: 'ServiceAccount', name, namespace }],
  });
  const { status } = await api.create(`${account}/token`, {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: {},
  });
  return status.token;
}

/**
 * Reads the operator's metrics.
 * @returns undefined if the operator does not show the metrics
 */
export async function scrape(port: number, token: string): Promise<string | undefined> {
  const headers = { authorization: `Bearer ${token}` };
  const { statusCode, body } = await request(`http://127.0.0.1:${port}/metrics`, { headers });
  const text = await body.text();
  return statusCode === 200 ? text : undefined;
}

function container({ spec }: Deployment): Container {
  const [only] = spec.template.spec.containers;
  if (!only) throw new Error('the Deployment has no container');
  return only;
}
