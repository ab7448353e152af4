/**
 * Lists custom kinds without a pod template. One list has the kinds whose operators make pods, and the other list has
 * the kinds whose operators make no pods. A kind in neither list is reported as unknown. A missing entry therefore
 * hides nothing.
 */
import { groupOf, qualifiedKind } from '../../operator/model/workload-kinds.ts';

/** The kinds whose operators make pods. An entry is `Kind.group`, or `.group` for all kinds of a group. */
const MAKE_PODS: ReadonlySet<string> = new Set([
  'Alertmanager.monitoring.coreos.com',
  'Prometheus.monitoring.coreos.com',
  'PrometheusAgent.monitoring.coreos.com',
  'ThanosRuler.monitoring.coreos.com',
  'ArgoCD.argoproj.io',
  'EventBus.argoproj.io',
  'EventSource.argoproj.io',
  'Sensor.argoproj.io',
  'Kafka.kafka.strimzi.io',
  'KafkaBridge.kafka.strimzi.io',
  'KafkaConnect.kafka.strimzi.io',
  'KafkaMirrorMaker2.kafka.strimzi.io',
  'KafkaNodePool.kafka.strimzi.io',
  'VirtualMachine.kubevirt.io',
  'VirtualMachineInstance.kubevirt.io',
  'VirtualMachineInstanceReplicaSet.kubevirt.io',
  'VirtualMachinePool.pool.kubevirt.io',
  'ClusterTask.tekton.dev',
  'Pipeline.tekton.dev',
  'PipelineRun.tekton.dev',
  'Task.tekton.dev',
  'TaskRun.tekton.dev',
  'Cluster.postgresql.cnpg.io',
  'Pooler.postgresql.cnpg.io',
  'postgresql.acid.zalan.do',
  'CephCluster.ceph.rook.io',
  'CephFilesystem.ceph.rook.io',
  'CephNFS.ceph.rook.io',
  'CephObjectStore.ceph.rook.io',
  'APIServer.operator.tigera.io',
  'Installation.operator.tigera.io',
  'OpenTelemetryCollector.opentelemetry.io',
  'Jaeger.jaegertracing.io',
  'Grafana.grafana.integreatly.org',
  'FlinkDeployment.flink.apache.org',
  'ScheduledSparkApplication.sparkoperator.k8s.io',
  'SparkApplication.sparkoperator.k8s.io',
  'MongoDBCommunity.mongodbcommunity.mongodb.com',
  'RabbitmqCluster.rabbitmq.com',
  '.agent.k8s.elastic.co',
  '.apm.k8s.elastic.co',
  '.beat.k8s.elastic.co',
  '.elasticsearch.k8s.elastic.co',
  '.enterprisesearch.k8s.elastic.co',
  '.kibana.k8s.elastic.co',
  '.logstash.k8s.elastic.co',
]);

const MAKE_NONE: ReadonlySet<string> = new Set([
  'AlertmanagerConfig.monitoring.coreos.com',
  'PodMonitor.monitoring.coreos.com',
  'Probe.monitoring.coreos.com',
  'PrometheusRule.monitoring.coreos.com',
  'ScrapeConfig.monitoring.coreos.com',
  'ServiceMonitor.monitoring.coreos.com',
  'AppProject.argoproj.io',
  'SealedSecret.bitnami.com',
  '.acme.cert-manager.io',
  '.cert-manager.io',
  '.cilium.io',
  '.config.gatekeeper.sh',
  '.constraints.gatekeeper.sh',
  '.crd.projectcalico.org',
  '.extensions.istio.io',
  '.external-secrets.io',
  '.keda.sh',
  '.kyverno.io',
  '.metallb.io',
  '.networking.istio.io',
  '.notification.toolkit.fluxcd.io',
  '.policies.kyverno.io',
  '.projectcalico.org',
  '.security.istio.io',
  '.source.toolkit.fluxcd.io',
  '.telemetry.istio.io',
  '.templates.gatekeeper.sh',
  '.traefik.containo.us',
  '.traefik.io',
]);

/** Whether the operator of a kind makes pods; null if this is unknown. */
export function makesPods(apiVersion: string, kind: string): boolean | null {
  const names = [qualifiedKind(apiVersion, kind), `.${groupOf(apiVersion)}`];
  if (names.some((name) => MAKE_PODS.has(name))) return true;
  return names.some((name) => MAKE_NONE.has(name)) ? false : null;
}
