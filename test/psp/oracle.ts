/** Whether the old cluster behaves as PodSecurityPolicy is known to. */
import { isDeepStrictEqual } from 'node:util';
import { podManifest } from '../support/pod-manifests.ts';
import type { Pod } from '../support/random-pods.ts';
import { type Answer, createPod } from './creation.ts';
import { binding, type PspSet, psp, role } from './objects.ts';
import type { OldCluster } from './old-cluster.ts';
import { KNOWN, type Known } from './oracle-table.ts';
import { securityOf } from './security.ts';

const USER = 'oracle';
const ANSWERS = { 200: 'admitted', 403: 'refused', 422: 'invalid' } as const;

/** @returns one line for each row that differs */
export async function surprises(cluster: OldCluster): Promise<string[]> {
  const withdraw = await cluster.enforce(KNOWN.map(setOf));
  const lines: string[] = [];
  for (const [index, known] of KNOWN.entries()) {
    const creation = { pod: podOf(known), namespace: nameOf(index), account: 'default', creator: { user: USER } };
    const answer = await createPod(cluster.api, creation);
    const got = ANSWERS[answer.status as keyof typeof ANSWERS];
    const wrong = got !== known.answer ? `${got} ${answer.text}` : differing(known, answer);
    if (wrong !== undefined) lines.push(`${known.title}: ${wrong}`);
  }
  await withdraw();
  return lines;
}

function differing({ becomes }: Known, { pod }: Answer): string | undefined {
  if (becomes === undefined) return undefined;
  const { containers, ...ofPod } = securityOf(pod);
  const found = { ...ofPod, ...containers[0] };
  const wrong = Object.entries(becomes).filter(([field, value]) => !isDeepStrictEqual(found[field], value));
  return wrong.length === 0 ? undefined : `became ${JSON.stringify(found)}`;
}

/** Each in a separate namespace. */
function setOf({ spec, annotations = {} }: Known, index: number): PspSet {
  const id = nameOf(index);
  const may = role(id, [id]);
  return {
    id,
    policies: [psp(id, spec, annotations)],
    rbac: [may, binding(id, may, [{ kind: 'User', name: USER }], id)],
    namespaces: [id],
  };
}

function podOf({ pod: { spec = {}, container = {}, annotations = {} } = {} }: Known): Pod {
  const containers = [{ name: 'app', image: 'app', ...container }];
  return podManifest({ name: 'known', annotations }, { ...spec, containers });
}

function nameOf(index: number): string {
  return `oracle-${index}`;
}
