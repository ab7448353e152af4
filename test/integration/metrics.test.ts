import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent, request } from 'undici';
import { CertificateAuthority } from '../../hack/controlplane/certificates.ts';
import { freePorts } from '../../hack/controlplane/ports.ts';
import { eventually, useCluster } from '../support/harness.ts';
import { baselinePod, restrictedPod } from '../support/pod-manifests.ts';
import { NAMESPACES, POLICIES } from '../support/rendered.ts';

const LABEL = 'pod-security.kubernetes.io/warn';

const authority = new CertificateAuthority();
const dispatcher = new Agent({ connect: { ca: authority.certificate } });

/** Writes a certificate with the file names of a mounted Secret of type kubernetes.io/tls. */
function writeCertificate(): string {
  const folder = mkdtempSync(join(tmpdir(), 'capabilitypolicy-metrics-'));
  const { certificate, key } = authority.issue({ commonName: 'metrics', dnsNames: ['localhost'] });
  writeFileSync(join(folder, 'tls.crt'), certificate);
  writeFileSync(join(folder, 'tls.key'), key);
  return folder;
}

describe('/metrics of a running operator, over TLS', () => {
  const folder = writeCertificate();
  let port = 0;
  const cluster = useCluster('metrics', {
    args: async () => {
      [port = 0] = await freePorts(1);
      return ['--metrics-bind-address', `127.0.0.1:${port}`, '--metrics-cert-path', folder];
    },
  });
  let namespace: string;
  let policy: string;

  before(async () => {
    namespace = await cluster.namespace('team', { team: 'metrics', [LABEL]: 'privileged' });
    policy = await cluster.policy('warn', {
      namespaceSelector: { matchLabels: { team: 'metrics' } },
      level: 'restricted',
      mode: 'Warn',
    });
    const create = (pod: object, name: string) =>
      cluster.api.create(`${NAMESPACES}/${namespace}/pods`, { ...pod, metadata: { name } });
    await Promise.all([
      create(restrictedPod(), 'fine'),
      create(baselinePod(), 'bad'),
      create(baselinePod(), 'bad-too'),
      cluster.programmed(policy),
    ]);
  });

  after(async () => {
    rmSync(folder, { recursive: true });
    await dispatcher.close();
  });

  /** The values of all metric series, by name and labels. */
  async function series(): Promise<Map<string, number>> {
    const { body } = await request(`https://localhost:${port}/metrics`, { dispatcher });
    const text = await body.text();
    const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    return new Map(
      lines.map((line) => {
        const at = line.lastIndexOf(' ');
        return [sorted(line.slice(0, at)), Number(line.slice(at + 1))];
      }),
    );
  }

  it('shows the findings of policies', async () => {
    const rules = ['allowPrivilegeEscalation', 'capabilities', 'runAsNonRoot', 'seccomp'];
    const violating = (rule: string) =>
      `capabilitypolicy_violating_workloads{mode="Warn",namespace="${namespace}",policy="${policy}",rule="${rule}"}`;
    await eventually('both pods to be evaluated', async () => {
      const found = await series();
      return rules.every((rule) => found.get(violating(rule)) === 2);
    });
    const of = `{policy="${policy}"}`;
    await eventually(
      'the label conflict',
      async () => (await series()).get(`capabilitypolicy_label_conflicts${of}`) === 1,
    );
    const found = await series();
    const { status } = await cluster.api.get(`${POLICIES}/${policy}`);
    assert.equal(found.get(`capabilitypolicy_programmed${of}`), 1);
    assert.equal(found.get(`capabilitypolicy_status_bytes${of}`), Buffer.byteLength(JSON.stringify(status)));
    assert.ok((found.get('capabilitypolicy_evaluated_objects') ?? 0) >= 3);
    assert.ok((found.get('capabilitypolicy_distinct_fingerprints') ?? 0) >= 2);
  });

  it('shows how it works', async () => {
    const found = await series();
    for (const kind of ['Pod', 'Deployment', 'Namespace', 'CapabilityPolicy', 'ClusterRole']) {
      assert.equal(found.get(`capabilitypolicy_reflector_relists_total{kind="${kind}"}`), 0, kind);
      const stale = found.get(`capabilitypolicy_reflector_staleness_seconds{kind="${kind}"}`) ?? Number.NaN;
      assert.ok(stale >= 0 && stale < 90, `${kind}: ${stale}`);
    }
    for (const name of ['programs', 'labels', 'evaluation', 'status']) {
      assert.ok((found.get(`workqueue_adds_total{name="${name}"}`) ?? 0) > 0, name);
      const done = found.get(`controller_runtime_reconcile_total{controller="${name}",result="success"}`) ?? 0;
      assert.ok(done > 0, name);
    }
    assert.equal(found.get('leader_election_master_status{name="capabilitypolicy.dev"}'), 1);
    assert.ok((found.get('rest_client_requests_total{code="200",method="PATCH"}') ?? 0) > 0);
    assert.ok((found.get('process_resident_memory_bytes') ?? 0) > 0);
  });

  it('shows nothing about deleted policies', async () => {
    await cluster.deletePolicy(policy);
    await cluster.api.patch(`${NAMESPACES}/${namespace}`, { metadata: { labels: { [LABEL]: null } } });
    const shown = async () => [...(await series()).keys()].filter((key) => key.includes(`policy="${policy}"`));
    await eventually('the series of the policy to end', async () => (await shown()).length === 0);
  });
});

/** Sorts the labels of a series, because their order does not matter. */
function sorted(series: string): string {
  return series.replace(/(?<=\{).*(?=\})/, (labels) => labels.split(',').sort().join(','));
}
