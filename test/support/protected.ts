/** Starts a control plane whose API servers read the output of `cappol render --static`. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ControlPlane, startControlPlane } from '../../hack/controlplane/controlplane.ts';
import { SERVER_MINOR } from '../../hack/controlplane/version.ts';
import { Audit } from './audit.ts';
import { cappol } from './cappol.ts';
import { OPERATOR_USER } from './rights.ts';

/**
 * The flag that enables the feature on Kubernetes 1.36. In Kubernetes 1.36, the feature is alpha and off by default.
 */
const GATE = SERVER_MINOR === 36 ? ['--feature-gates=ManifestBasedAdmissionControlConfig=true'] : [];

const WRITES = ['create', 'update', 'patch', 'delete', 'deletecollection'];

/** @returns the flags that make an API server read the files in the folder */
export function staticFlags(directory: string): string[] {
  return [...GATE, `--admission-control-config-file=${join(directory, 'admission.yaml')}`];
}

/**
 * Writes the files into a new folder.
 * @param args the arguments of `cappol render --static`
 */
export async function writeStatic(args: readonly string[] = [], stdin = ''): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'capabilitypolicy-static-'));
  const { code, stderr } = await cappol(
    ['render', '--static', '--directory', directory, '--mounted-at', directory, ...args],
    stdin,
  );
  if (code !== 0) throw new Error(`render: ${stderr}`);
  return directory;
}

/** @param args the arguments of `cappol render --static` */
export async function startWithStatic(
  args: readonly string[] = [],
  stdin = '',
  options: Parameters<typeof startControlPlane>[0] = {},
): Promise<{ readonly controlPlane: ControlPlane; readonly directory: string; stop(): Promise<void> }> {
  const directory = await writeStatic(args, stdin);
  const remove = () => rmSync(directory, { recursive: true, force: true });
  try {
    const apiServerFlags = [...staticFlags(directory), ...(options.apiServerFlags ?? [])];
    const controlPlane = await startControlPlane({ quiet: true, ...options, apiServerFlags });
    return { controlPlane, directory, stop: () => controlPlane.stop().finally(remove) };
  } catch (error) {
    remove();
    throw error;
  }
}

/**
 * Starts a control plane with the protection. The audit log of this control plane has the operator's writes and the API
 * server's answers.
 */
export async function startAudited(): Promise<Awaited<ReturnType<typeof startWithStatic>> & { readonly audit: Audit }> {
  const folder = mkdtempSync(join(tmpdir(), 'capabilitypolicy-audit-'));
  const audit = new Audit(folder, { users: [OPERATOR_USER], verbs: WRITES });
  const started = await startWithStatic([], '', { apiServerFlags: audit.flags });
  const { stop } = started;
  return { ...started, audit, stop: () => stop().finally(() => rmSync(folder, { recursive: true, force: true })) };
}
