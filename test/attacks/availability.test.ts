/** Replays the attempts of docs/security-model.md to keep the operator or the guard from working. */
import { setTimeout as sleep } from 'node:timers/promises';
import { request } from 'undici';
import type { Answer, Json } from '../../hack/controlplane/api.ts';
import { eventually } from '../support/harness.ts';
import { vanish } from '../support/observed.ts';
import { NAMESPACES } from '../support/rendered.ts';
import { type Attack, admitted, ask, create, type Expectation, refusedBy, type Scene, type Step } from './attack.ts';
import { replay } from './replay.ts';
import { pod } from './settings.ts';

/**
 * The number of entries of each list of capabilities. All lists together have about 155 kB, which is a tenth of the
 * size limit of etcd.
 */
const ENTRIES = 10_000;
const ANSWERED_MS = 5_000;
const WATCHED_MS = 2_500;

/** The lists of capabilities of one container. The lists have the maximum length that fits into an object. */
const LONG = {
  add: Array.from({ length: ENTRIES }, () => 'SYS_ADMIN'),
  drop: Array.from({ length: ENTRIES }, () => 'K'),
};

function capable(capabilities: object): Json {
  return pod({ containers: [{ name: 'main', image: 'example.org/app', securityContext: { capabilities } }] });
}

/**
 * A Deployment without replicas. The API server admits a Deployment with any template, and the operator has to evaluate
 * the template.
 */
function deployment(template: Json): Step {
  return (scene) => {
    const labels = { app: scene.pod };
    return ask('POST', '/apis/apps/v1/namespaces/NAMESPACE/deployments', {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: scene.pod },
      spec: {
        replicas: 0,
        selector: { matchLabels: labels },
        template: { metadata: { labels, annotations: template.metadata.annotations }, spec: template.spec },
      },
    })(scene);
  };
}

/** Polls /healthz while the operator evaluates. @returns a message with the time of the slowest answer */
const watchHealth: Step = async ({ healthPort }) => {
  let slowest = 0;
  const until = Date.now() + WATCHED_MS;
  while (Date.now() < until) {
    const began = Date.now();
    await request(`http://127.0.0.1:${healthPort}/healthz`, { bodyTimeout: 20_000, headersTimeout: 20_000 })
      .then(({ body }) => body.text())
      .catch(() => {});
    slowest = Math.max(slowest, Date.now() - began);
    await sleep(50);
  }
  return { status: 200, body: { slowest }, warnings: [] };
};

const answeredThroughout: Expectation = {
  title: `the operator answers /healthz within ${ANSWERED_MS} ms throughout`,
  verify({ body }: Answer) {
    if (body.slowest > ANSWERED_MS) throw new Error(`it took ${body.slowest} ms`);
  },
};

function removeDeployment({ cluster, namespace, pod }: Scene): Promise<unknown> {
  return cluster.api.remove(`/apis/apps/v1/namespaces/${namespace}/deployments/${pod}`);
}

const AVAILABILITY: readonly Attack[] = [
  {
    attempt: `creates a pod whose lists of capabilities have ${ENTRIES} entries each`,
    setting: 'bounded',
    steps: [create(capable(LONG))],
    expect: refusedBy('bounded', /capabilities/),
  },
  {
    attempt: `creates a template whose lists of capabilities have ${ENTRIES} entries each`,
    setting: 'bounded',
    steps: [deployment(capable(LONG)), watchHealth],
    expect: answeredThroughout,
    after: removeDeployment,
  },
  {
    attempt: 'makes a namespace whose record of labels has the maximal size, and deletes it again',
    setting: 'labelled',
    steps: [
      async ({ cluster }) => {
        const name = cluster.named('heavy');
        const record = JSON.stringify({ 'pod-security.kubernetes.io/enforce': 'x'.repeat(250_000) });
        const metadata = { name, labels: { team: 'labelled' }, annotations: { 'capabilitypolicy.dev/labels': record } };
        await cluster.api.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata });
        await eventually('the record to be restored', async () => {
          const { annotations } = (await cluster.api.get(`${NAMESPACES}/${name}`)).metadata;
          return annotations['capabilitypolicy.dev/labels'].length < 1_000;
        });
        await vanish(cluster.api, name);
        return cluster.api.ask('GET', NAMESPACES);
      },
    ],
    expect: admitted('the operator restores the record, and the namespace is deleted'),
  },
  {
    attempt: 'makes a namespace of many long labels, and deletes it again',
    setting: 'labelled',
    steps: [
      async ({ cluster }) => {
        const name = cluster.named('many');
        const labels = Object.fromEntries(
          Array.from({ length: 2_000 }, (_, i) => [`${'k'.repeat(40)}-${i}`, 'v'.repeat(63)]),
        );
        const metadata = { name, labels: { ...labels, team: 'labelled' } };
        await cluster.api.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata });
        await eventually('the label', async () => {
          const { metadata: now } = await cluster.api.get(`${NAMESPACES}/${name}`);
          return now.labels['pod-security.kubernetes.io/enforce'] === 'restricted';
        });
        await vanish(cluster.api, name);
        return cluster.api.ask('GET', NAMESPACES);
      },
    ],
    expect: admitted('it is labelled like others, and deleted'),
  },
];

describe('attacks', () => replay('availability', { 'to block the operator': AVAILABILITY }));
