/** The story of the demo. Every output of kubectl is real, and the demo checks every claim. */
import { OPERATOR_NAMESPACE } from '../../operator/model/namespaces.ts';
import { waitFor } from '../controlplane/wait.ts';
import type { DemoCluster } from './cluster.ts';
import type { Shell } from './shell.ts';

const NAMESPACES = ['shop', 'net', 'stage'];

/** A workload that ran before the first policy existed. */
const LEGACY = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: legacy, namespace: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: legacy}}
  template:
    metadata: {labels: {app: legacy}}
    spec:
      containers:
        - name: app
          image: registry.example/legacy:1
          securityContext: {capabilities: {add: [SYS_TIME]}}
`;

const PING = `
apiVersion: v1
kind: Pod
metadata: {name: ping, namespace: net}
spec:
  securityContext: {runAsNonRoot: true, runAsUser: 1000, seccompProfile: {type: RuntimeDefault}}
  containers:
    - name: ping
      image: registry.example/ping:1
      securityContext:
        allowPrivilegeEscalation: false
        capabilities: {drop: [ALL], add: [NET_RAW]}
`;

function netAdmin(name: string): string {
  return PING.replace('NET_RAW', 'NET_ADMIN').replace('name: ping, namespace', `name: ${name}, namespace`);
}

export async function tell(cluster: DemoCluster, shell: Shell): Promise<void> {
  shell.heading('1. A cluster with three namespaces, and a Deployment that nobody has looked at for years');
  for (const name of NAMESPACES) await shell.expect(true, `kubectl create namespace ${name}`);
  await shell.expect(true, 'kubectl label namespace shop environment=production');
  await shell.expect(true, 'kubectl label namespace net environment=production team=network');
  await shell.expect(true, 'kubectl label namespace stage environment=staging');
  await shell.expect(true, 'kubectl apply -f -', LEGACY);

  if (cluster.runsPods) {
    await shell.expect(true, 'kubectl wait --for=condition=Available deployment/legacy -n shop --timeout=120s');
    await shell.expect(true, 'kubectl get nodes,pods -n shop -o wide');
  }

  shell.heading('2. The CustomResourceDefinition, the operator (npm start), and four policies');
  await shell.expect(true, 'kubectl apply -k crds');
  // While the CRD has no conditions yet, `kubectl wait` fails.
  const established = ['wait', '--for=condition=Established', 'crd/capabilitypolicies.capabilitypolicy.dev'];
  await waitFor('the CRD to be established', async () => (await shell.run(established)).ok);
  await cluster.startOperator();
  await shell.expect(true, 'kubectl apply -k config/samples');
  await shell.expect(true, 'kubectl wait --for=condition=Ready capabilitypolicies --all --timeout=60s');

  shell.heading(
    '3. The objects that the operator rendered: Kubernetes itself enforces the policies, without a webhook',
  );
  await waitForLabels(shell);
  await shell.expect(
    true,
    `kubectl get namespaces ${NAMESPACES.join(' ')} -L pod-security.kubernetes.io/enforce,pod-security.kubernetes.io/enforce-version,pod-security.kubernetes.io/audit`,
  );
  await shell.expect(
    true,
    'kubectl get validatingadmissionpolicies,clusterroles -l app.kubernetes.io/managed-by=capabilitypolicy.dev',
  );

  shell.heading('4. A Deployment is never refused, but its author is warned at once');
  await shell.expect(true, 'kubectl create deployment web -n net --image=registry.example/web:1');

  shell.heading(
    '5. Team network may add NET_RAW, although no Pod Security level permits only NET_RAW; NET_ADMIN is refused',
  );
  await shell.expect(true, 'kubectl apply -f -', PING);
  await shell.expect(false, 'kubectl apply -f -', netAdmin('sniffer'));
  if (cluster.runsPods) await showPing(shell);

  shell.heading('6. Workloads that violate a policy today');
  await waitForViolations(shell);
  await shell.expect(true, 'kubectl get capabilitypolicies');
  await shell.expect(
    true,
    `kubectl get capabilitypolicy restricted -o 'jsonpath={range .status.violations[*]}{.namespace}{"/"}{.kind}{"/"}{.name}{" ("}{.pods}{" pods): "}{.rule}{": "}{.message}{"\\n"}{end}'`,
  );
  await shell.expect(
    true,
    `kubectl get capabilitypolicy restricted -o 'jsonpath={range .status.conditions[*]}{.type}={.status}{"  "}{.reason}{": "}{.message}{"\\n"}{end}'`,
  );

  shell.heading('7. The operator stops. Its policies stay enforced');
  await cluster.stopOperator();
  await shell.expect(false, 'kubectl apply -f -', netAdmin('sniffer-again'));
  if (cluster.runsPods) await showLostPod(shell);
}

/**
 * Shows a container that holds NET_RAW. If `ping` is the first program of the container, it gets NET_RAW from its file
 * capabilities. If a shell starts `ping`, no-new-privileges prevents `ping` from getting NET_RAW.
 */
async function showPing(shell: Shell): Promise<void> {
  await shell.expect(true, 'kubectl wait --for=condition=Ready pod/ping -n net --timeout=120s');
  await waitFor('an answer', async () =>
    (await shell.run(['logs', 'ping', '-n', 'net'])).output.includes('bytes from'),
  );
  await shell.expect(true, 'kubectl logs ping -n net');
  await shell.expect(true, "kubectl exec ping -n net -- grep -E '^(Uid|CapBnd|NoNewPrivs)' /proc/1/status");
  await shell.expect(false, "kubectl exec ping -n net -- sh -c 'ping-permitted -c 1 127.0.0.1'");
}

/** Shows that a new policy does not stop an older pod. If the pod is deleted, the policy refuses its successor. */
async function showLostPod(shell: Shell): Promise<void> {
  await shell.expect(true, 'kubectl get pods -n shop');
  await shell.expect(true, 'kubectl delete pods -n shop -l app=legacy');
  await waitFor('the refusal', async () => {
    const { output } = await shell.run(['get', 'events', '-n', 'shop', '--field-selector=reason=FailedCreate']);
    return output.includes('SYS_TIME');
  });
  await shell.expect(true, 'kubectl get deployment legacy -n shop');
}

/**
 * Checks that the user's cluster has none of the objects that the demo creates and removes.
 *
 * @throws Error that names the existing objects
 */
export async function assertUntouched(shell: Shell): Promise<void> {
  const names = [
    ...[...NAMESPACES, OPERATOR_NAMESPACE].map((name) => ['namespace', name]),
    ['crd', 'capabilitypolicies.capabilitypolicy.dev'],
  ];
  for (const [kind = '', name = ''] of names) {
    const { ok, output } = await shell.run(['get', kind, name, '-o', 'name', '--ignore-not-found']);
    if (!ok) throw new Error(output.trim());
    if (output.trim() !== '') {
      throw new Error(`${output.trim()} is in this cluster already, and the demo would delete it: use another cluster`);
    }
  }
}

/** Removes from the user's cluster the objects that `tell` created. */
export async function cleanUp(cluster: DemoCluster, shell: Shell): Promise<void> {
  shell.heading('Cleaning up');
  await cluster.stopOperator();
  await cluster.startOperator();
  await shell.show('kubectl delete -k config/samples --ignore-not-found');
  await waitFor('the labels to leave', async () => {
    const { ok, output } = await shell.run(['get', 'namespaces', '-o', 'jsonpath={.items[*].metadata.annotations}']);
    return ok && !output.includes('capabilitypolicy.dev/labels');
  });
  await shell.show(`kubectl delete namespace ${NAMESPACES.join(' ')} --ignore-not-found`);
  await shell.show('kubectl delete -k crds --ignore-not-found');
  await cluster.stopOperator();
  await shell.show(`kubectl delete namespace ${OPERATOR_NAMESPACE} --ignore-not-found`);
}

async function waitForLabels(shell: Shell): Promise<void> {
  const labels = (level: string) => `{.metadata.labels.pod-security\\.kubernetes\\.io/${level}}`;
  const columns = `jsonpath={range .items[*]}${labels('enforce')},${labels('audit')} {end}`;
  await waitFor('the labels', async () => {
    const { output } = await shell.run(['get', 'namespaces', ...NAMESPACES, '-o', columns]);
    return output.trim() === 'restricted,restricted ,restricted baseline,restricted';
  });
}

/** Waits for the final state. The operator evaluates each namespace separately, and writes each status separately. */
async function waitForViolations(shell: Shell): Promise<void> {
  const columns = 'jsonpath={range .items[*]}{.metadata.name}={.status.workloads.violating} {end}';
  await waitFor('the violations', async () => {
    const { output } = await shell.run(['get', 'capabilitypolicies', '-o', columns]);
    const violating = Object.fromEntries(output.split(' ').map((entry) => entry.split('=')));
    // The violating workloads are the Pod and both Deployments. On the user's cluster, all other objects of the demo
    // also violate the policy.
    return Number(violating['audit-everything']) >= 3 && violating.ping === '1' && violating.restricted === '1';
  });
}
