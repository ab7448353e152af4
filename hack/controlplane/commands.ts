/** Builds the command lines of the servers. */
import { join } from 'node:path';
import type { Binaries } from './binaries.ts';
import { type Credentials, KUBERNETES_SERVICE } from './credentials.ts';
import type { ServerCommand } from './server-process.ts';

export function etcdCommand(binaries: Binaries, logDir: string, dataDir: string, port: number): ServerCommand {
  const url = `http://127.0.0.1:${port}`;
  return {
    name: 'etcd',
    path: binaries.etcd,
    logFile: join(logDir, 'etcd.log'),
    flags: [
      `--data-dir=${dataDir}`,
      `--listen-client-urls=${url}`,
      `--advertise-client-urls=${url}`,
      '--listen-peer-urls=http://127.0.0.1:0',
      '--log-level=warn',
      // The flag --unsafe-no-fsync disables fsync. Without fsync, a crash of the machine may lose data. A crash of the
      // process loses no data.
      '--unsafe-no-fsync',
    ],
  };
}

interface ApiServerAddress {
  /** The server listens on this address and publishes this address. */
  readonly address: string;
  readonly port: number;
  readonly etcdPort: number;
  /** Additional flags of the caller. The caller's flags come last, and therefore override the flags of this file. */
  readonly flags: readonly string[];
}

export function apiServerCommand(
  binaries: Binaries,
  logDir: string,
  { files }: Credentials,
  { address, port, etcdPort, flags }: ApiServerAddress,
): ServerCommand {
  return {
    name: 'kube-apiserver',
    path: binaries.apiServer,
    logFile: join(logDir, `kube-apiserver-${address}-${port}.log`),
    flags: [
      `--etcd-servers=http://127.0.0.1:${etcdPort}`,
      `--bind-address=${address}`,
      `--advertise-address=${address}`,
      `--secure-port=${port}`,
      `--tls-cert-file=${files.serverCertificate}`,
      `--tls-private-key-file=${files.serverKey}`,
      `--client-ca-file=${files.authority}`,
      `--kubelet-client-certificate=${files.kubeletClientCertificate}`,
      `--kubelet-client-key=${files.kubeletClientKey}`,
      // The API server must use the IP address of a node, because no name service resolves the node's name.
      '--kubelet-preferred-address-types=InternalIP',
      ...(flags.some((flag) => flag.startsWith('--authorization-config=')) ? [] : ['--authorization-mode=RBAC']),
      // Admission control decides whether a pod may be privileged. Every distribution sets this flag.
      '--allow-privileged=true',
      `--service-cluster-ip-range=${KUBERNETES_SERVICE}/24`,
      // An endpoint must not have a loopback address. The endpoints of service default/kubernetes are therefore not
      // reconciled.
      '--endpoint-reconciler-type=none',
      '--service-account-issuer=https://kubernetes.default.svc',
      `--service-account-signing-key-file=${files.serviceAccountKey}`,
      `--service-account-key-file=${files.serviceAccountPublicKey}`,
      // After SIGTERM, the API server would wait a minute for open watches. The flag --shutdown-send-retry-after
      // prevents this wait.
      '--shutdown-send-retry-after=true',
      ...flags,
    ],
  };
}

export function controllerManagerCommand(
  binaries: Binaries,
  logDir: string,
  { files }: Credentials,
  kubeconfig: string,
): ServerCommand {
  return {
    name: 'kube-controller-manager',
    path: binaries.controllerManager,
    logFile: join(logDir, 'kube-controller-manager.log'),
    flags: [
      `--kubeconfig=${kubeconfig}`,
      `--authentication-kubeconfig=${kubeconfig}`,
      `--authorization-kubeconfig=${kubeconfig}`,
      // No program reads the metrics of kube-controller-manager.
      '--secure-port=0',
      '--leader-elect=false',
      // Each controller has its own service account, as in real clusters. Admission therefore sees which controller
      // creates a pod.
      '--use-service-account-credentials=true',
      `--service-account-private-key-file=${files.serviceAccountKey}`,
      `--root-ca-file=${files.authority}`,
      // The type checking of admission policies takes half of the controller manager's time. The type checking only
      // produces warnings in the status of the policies.
      '--controllers=*,-validatingadmissionpolicy-status-controller',
      '--kube-api-qps=200',
      '--kube-api-burst=400',
    ],
  };
}
