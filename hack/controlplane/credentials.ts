/** Makes new keys and certificates for each control plane. */
import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Certificate, CertificateAuthority } from './certificates.ts';

/** The cluster IP of service default/kubernetes. This IP is the first address in --service-cluster-ip-range. */
export const KUBERNETES_SERVICE = '10.0.0.1';

export interface Credentials {
  /** The certificate of the authority in PEM format. */
  readonly authority: string;
  /** The certificate of the cluster administrator, a user in the group system:masters. */
  readonly admin: Certificate;
  /** Makes a client certificate. Kubernetes reads a user and the user's groups from the certificate. */
  issueClient(user: string, groups: readonly string[]): Certificate;
  /** The paths of the PEM files. */
  readonly files: {
    readonly authority: string;
    readonly serverCertificate: string;
    readonly serverKey: string;
    /** The client certificate that the API server presents to kubelets. */
    readonly kubeletClientCertificate: string;
    readonly kubeletClientKey: string;
    readonly serviceAccountKey: string;
    readonly serviceAccountPublicKey: string;
  };
}

export function writeCredentials(dir: string): Credentials {
  const folder = join(dir, 'pki');
  mkdirSync(folder, { mode: 0o700 });
  const write = (name: string, content: string | Buffer) => {
    writeFileSync(join(folder, name), content, { mode: 0o600 });
    return join(folder, name);
  };

  const authority = new CertificateAuthority();
  const issueClient = (user: string, groups: readonly string[]) =>
    authority.issue({ commonName: user, organizations: groups });
  const server = authority.issue({
    commonName: 'kube-apiserver',
    dnsNames: ['localhost', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc'],
    ipv4Addresses: ['127.0.0.1', KUBERNETES_SERVICE],
  });
  const kubeletClient = issueClient('kube-apiserver-kubelet-client', ['system:masters']);
  const tokens = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return {
    authority: authority.certificate,
    admin: issueClient('admin', ['system:masters']),
    issueClient,
    files: {
      authority: write('ca.crt', authority.certificate),
      serverCertificate: write('apiserver.crt', server.certificate),
      serverKey: write('apiserver.key', server.key),
      kubeletClientCertificate: write('apiserver-kubelet-client.crt', kubeletClient.certificate),
      kubeletClientKey: write('apiserver-kubelet-client.key', kubeletClient.key),
      serviceAccountKey: write('sa.key', tokens.privateKey.export({ type: 'pkcs1', format: 'pem' })),
      serviceAccountPublicKey: write('sa.pub', tokens.publicKey.export({ type: 'spki', format: 'pem' })),
    },
  };
}
