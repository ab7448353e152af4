import { writeFileSync } from 'node:fs';
import type { Certificate } from './certificates.ts';

interface KubeconfigContent {
  /** The API server's URL. */
  readonly server: string;
  /** The certificate of the authority in PEM format. */
  readonly authority: string;
  readonly user: string;
  readonly client: Certificate;
}

/**
 * Writes a kubeconfig that contains all credentials. The format is JSON, which is also valid YAML. Only the owner of
 * the file may read it.
 */
export function writeKubeconfig(file: string, { server, authority, user, client }: KubeconfigContent): void {
  const name = 'capabilitypolicy-test';
  const kubeconfig = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server, 'certificate-authority-data': base64(authority) } }],
    users: [
      {
        name: user,
        user: { 'client-certificate-data': base64(client.certificate), 'client-key-data': base64(client.key) },
      },
    ],
    contexts: [{ name, context: { cluster: name, user } }],
    'current-context': name,
  };
  writeFileSync(file, `${JSON.stringify(kubeconfig, null, 2)}\n`, { mode: 0o600 });
}

function base64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}
