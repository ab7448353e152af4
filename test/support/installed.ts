/**
 * Installs the operator as documented, with the operator's service account and rights. The cluster has no node for the
 * operator's pods. Tests therefore run the operator beside the cluster, with this service account.
 */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Api, Identity } from '../../hack/controlplane/api.ts';
import type { ControlPlane } from '../../hack/controlplane/controlplane.ts';
import { Tools } from '../../hack/tools.ts';
import { documentedBlocks } from './page.ts';
import { NAMESPACES } from './rendered.ts';
import { OPERATOR_ACCOUNT, OPERATOR_NAMESPACE } from './rights.ts';

const OPERATIONS = 'docs/operations.md';
/**
 * The ways of installing the operator. The number of a way is the index of a code block in docs/operations.md. The code
 * block installs the operator in this way.
 */
const WAYS = { kubectl: 0, helm: 1 } as const;

const installations = new WeakMap<ControlPlane, Promise<void>>();

/**
 * Installs the operator once for each control plane. The function uses kubectl unless
 * CAPABILITYPOLICY_TEST_INSTALL=helm.
 */
export async function install(
  controlPlane: ControlPlane,
  way = process.env.CAPABILITYPOLICY_TEST_INSTALL ?? 'kubectl',
): Promise<void> {
  let installation = installations.get(controlPlane);
  if (!installation) {
    installation = installWith(controlPlane, way);
    installations.set(controlPlane, installation);
  }
  await installation;
}

/** Applies every object of the installation again, like an upgrade. */
export async function applyAgain(controlPlane: ControlPlane): Promise<void> {
  await installWith(controlPlane, 'kubectl');
}

async function installWith({ kubeconfig }: ControlPlane, way: string): Promise<void> {
  if (!(way in WAYS))
    throw new Error(`CAPABILITYPOLICY_TEST_INSTALL=${way} is none of ${Object.keys(WAYS).join(', ')}`);
  const tools = await (way === 'helm' ? Tools.withHelm(kubeconfig) : Tools.find(kubeconfig));
  try {
    await tools.shell(documentedBlocks(OPERATIONS, 'Install')[WAYS[way as keyof typeof WAYS]] ?? '');
  } finally {
    tools.end();
  }
}

/**
 * The identity of a node. Nodes request the tokens of their pods. With the protection, only a node may request a token
 * of the operator's service account.
 */
const NODE: Identity = { user: 'system:node:none', groups: ['system:nodes', 'system:masters'] };

/**
 * @returns the path of a kubeconfig with a token of a service account. The default is the operator's service account. A
 * pod of the service account gets a token of the same kind.
 */
export async function accountKubeconfig(
  controlPlane: ControlPlane,
  api: Api,
  [namespace, account] = [OPERATOR_NAMESPACE, OPERATOR_ACCOUNT],
): Promise<string> {
  const path = `${NAMESPACES}/${namespace}/serviceaccounts/${account}`;
  const request = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} };
  const { status, body } = await api.ask('POST', `${path}/token`, { body: request, as: NODE });
  if (status >= 300) throw new Error(`no token of ${account}: ${status} ${body.message}`);
  const kubeconfig = JSON.parse(readFileSync(controlPlane.kubeconfig, 'utf8'));
  const [{ name }] = kubeconfig.users;
  const file = join(mkdtempSync(join(controlPlane.dir, 'operator-')), 'kubeconfig');
  writeFileSync(file, JSON.stringify({ ...kubeconfig, users: [{ name, user: { token: body.status.token } }] }), {
    mode: 0o600,
  });
  return file;
}
