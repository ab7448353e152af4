/**
 * The workloads of six namespaces, in the form that well-known charts install. Three charts are an ingress controller,
 * node-exporter and cert-manager. The other charts are a meshed application, a CI runner with Docker inside, and a web
 * application without settings.
 */

type Fields = Readonly<Record<string, unknown>>;

export interface Installed {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: Fields;
}

const CONFINED = { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } };
const DROPPING = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } };
const TMP = { name: 'tmp', emptyDir: {} };

function workload(kind: string, namespace: string, name: string, spec: Fields): Installed {
  const labels = { app: name };
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata: { name, namespace },
    spec: {
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec },
      ...(kind === 'StatefulSet' && { serviceName: name }),
    },
  };
}

function cronJob(namespace: string, name: string, spec: Fields): Installed {
  const template = { spec: { restartPolicy: 'Never', ...spec } };
  const jobTemplate = { spec: { template } };
  const metadata = { name, namespace };
  return { apiVersion: 'batch/v1', kind: 'CronJob', metadata, spec: { schedule: '0 3 * * *', jobTemplate } };
}

function ingressController(): Installed[] {
  const controller = {
    name: 'controller',
    image: 'registry.k8s.io/ingress-nginx/controller:v1.11.3',
    args: ['/nginx-ingress-controller'],
    ports: [80, 443].map((port) => ({ containerPort: port, hostPort: port })),
    securityContext: {
      runAsNonRoot: true,
      runAsUser: 101,
      allowPrivilegeEscalation: false,
      capabilities: { add: ['NET_BIND_SERVICE'], drop: ['ALL'] },
      seccompProfile: { type: 'RuntimeDefault' },
    },
  };
  return [
    workload('DaemonSet', 'ingress-nginx', 'ingress-nginx-controller', {
      serviceAccountName: 'ingress-nginx',
      containers: [controller],
    }),
    workload('Deployment', 'ingress-nginx', 'ingress-nginx-defaultbackend', {
      serviceAccountName: 'ingress-nginx-backend',
      containers: [
        {
          name: 'default-backend',
          image: 'registry.k8s.io/defaultbackend-amd64:1.5',
          securityContext: { ...CONFINED, ...DROPPING, runAsUser: 65534 },
        },
      ],
    }),
  ];
}

function nodeExporter(): Installed[] {
  const paths = [
    ['proc', '/proc'],
    ['sys', '/sys'],
    ['root', '/'],
  ] as const;
  return [
    workload('DaemonSet', 'monitoring', 'node-exporter', {
      serviceAccountName: 'node-exporter',
      automountServiceAccountToken: false,
      hostNetwork: true,
      hostPID: true,
      securityContext: { fsGroup: 65534, runAsGroup: 65534, runAsNonRoot: true, runAsUser: 65534 },
      containers: [
        {
          name: 'node-exporter',
          image: 'quay.io/prometheus/node-exporter:v1.8.2',
          ports: [{ containerPort: 9100, hostPort: 9100 }],
          securityContext: { readOnlyRootFilesystem: true },
          volumeMounts: paths.map(([name]) => ({ name, mountPath: `/host/${name}`, readOnly: true })),
        },
      ],
      volumes: paths.map(([name, path]) => ({ name, hostPath: { path } })),
    }),
  ];
}

function meshed(): Installed[] {
  const image = 'docker.io/istio/proxyv2:1.23.2';
  return [
    workload('Deployment', 'shop', 'catalogue', {
      serviceAccountName: 'catalogue',
      initContainers: [
        {
          name: 'istio-init',
          image,
          args: ['istio-iptables'],
          securityContext: {
            ...DROPPING,
            capabilities: { add: ['NET_ADMIN', 'NET_RAW'], drop: ['ALL'] },
            privileged: false,
            readOnlyRootFilesystem: false,
            runAsGroup: 0,
            runAsNonRoot: false,
            runAsUser: 0,
          },
        },
      ],
      containers: [
        { name: 'catalogue', image: 'registry.example/catalogue:7', securityContext: DROPPING },
        {
          name: 'istio-proxy',
          image,
          securityContext: {
            ...DROPPING,
            readOnlyRootFilesystem: true,
            runAsGroup: 1337,
            runAsNonRoot: true,
            runAsUser: 1337,
          },
        },
      ],
      securityContext: CONFINED,
      volumes: [TMP],
    }),
  ];
}

function certManager(): Installed[] {
  return ['cert-manager', 'cert-manager-cainjector', 'cert-manager-webhook'].map((name) =>
    workload('Deployment', 'cert-manager', name, {
      serviceAccountName: name,
      securityContext: CONFINED,
      containers: [
        {
          name,
          image: `quay.io/jetstack/${name}:v1.16.1`,
          securityContext: { ...DROPPING, readOnlyRootFilesystem: true },
        },
      ],
    }),
  );
}

function runner(): Installed[] {
  return [
    workload('StatefulSet', 'ci', 'runner', {
      serviceAccountName: 'runner',
      containers: [
        {
          name: 'runner',
          image: 'ghcr.io/actions/actions-runner:2.320.0',
          env: [{ name: 'DOCKER_HOST', value: 'tcp://localhost:2375' }],
        },
        { name: 'dind', image: 'docker:27-dind', securityContext: { privileged: true } },
      ],
      volumes: [TMP],
    }),
  ];
}

function webApplication(): Installed[] {
  return [
    workload('Deployment', 'web', 'web', { containers: [{ name: 'web', image: 'nginx:1.27' }] }),
    workload('StatefulSet', 'web', 'cache', {
      securityContext: { fsGroup: 1001 },
      containers: [
        {
          name: 'redis',
          image: 'docker.io/bitnami/redis:7.4.1',
          securityContext: { runAsUser: 1001, runAsNonRoot: true },
        },
      ],
    }),
    cronJob('web', 'report', { containers: [{ name: 'report', image: 'registry.example/report:1' }] }),
  ];
}

export const INSTALLED: readonly Installed[] = [
  ...ingressController(),
  ...nodeExporter(),
  ...meshed(),
  ...certManager(),
  ...runner(),
  ...webApplication(),
];
