import { eventually } from '../integration/harness.ts';
import { vanish } from '../integration/observed.ts';
import { NAMESPACES } from '../integration/rendered.ts';
import { type Attack, admitted } from './attack.ts';

export const AVAILABILITY: readonly Attack[] = [
  {
    attempt: 'makes a namespace whose record of labels is as large as the API takes it, and deletes it again',
    setting: 'labelled',
    steps: [
      async ({ cluster }) => {
        const name = 'attacks-heavy';
        const record = JSON.stringify({ 'pod-security.kubernetes.io/enforce': 'x'.repeat(250_000) });
        const metadata = { name, labels: { team: 'labelled' }, annotations: { 'capabilitypolicy.dev/labels': record } };
        await cluster.api.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata });
        await eventually('the record to be put right', async () => {
          const { annotations } = (await cluster.api.get(`${NAMESPACES}/${name}`)).metadata;
          return annotations['capabilitypolicy.dev/labels'].length < 1_000;
        });
        await vanish(cluster.api, name);
        return cluster.api.ask('GET', NAMESPACES);
      },
    ],
    expect: admitted('the operator puts the record right, and the namespace goes'),
  },
  {
    attempt: 'makes a namespace of many long labels, and deletes it again',
    setting: 'labelled',
    steps: [
      async ({ cluster }) => {
        const name = 'attacks-many';
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
    expect: admitted('it is labelled like others, and goes'),
  },
];
