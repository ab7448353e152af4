/**
 * The result of `cappol suggest --used` for each pod. The result lists the capabilities that the pod used. The result
 * also lists the capabilities that the suggested policies allow because of the pod's use.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Json } from '../../hack/controlplane/api.ts';
import { cappol } from '../support/cappol.ts';

export interface Suggested {
  readonly used: readonly string[];
  readonly refused: readonly string[];
  readonly noise: readonly string[];
  /** Capabilities beyond level restricted. The level already allows NET_BIND_SERVICE. */
  readonly allowed: readonly string[];
}

/**
 * @param used lines of the output of `cappol observe`
 * @param namespace the namespace of pods that state no namespace
 */
export async function suggestedFor(
  pods: readonly Json[],
  used: string,
  namespace: string,
): Promise<(pod: string) => Suggested> {
  const folder = mkdtempSync(join(tmpdir(), 'capabilitypolicy-suggested-'));
  try {
    const [manifests, lines] = [join(folder, 'pods.json'), join(folder, 'used.jsonl')];
    writeFileSync(manifests, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: pods }));
    writeFileSync(lines, used);
    const args = ['-f', manifests, '-n', namespace, '--used', lines, '--level', 'restricted', '-o', 'json'];
    const { code, stdout, stderr } = await cappol(['suggest', ...args]);
    if (code !== 0) throw new Error(stderr);
    const suggested = JSON.parse(stdout);
    return (pod) => ofPod(suggested, pod);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function ofPod({ evidence, namespaces }: Json, pod: string): Suggested {
  const [container] = evidence.find(({ workload }: Json) => workload.name === pod).containers;
  const { used, refused, noise } = container.evidence;
  const capabilities = (uses: readonly Json[]) => [...new Set(uses.map(({ capability }) => capability))].sort();
  const needs = namespaces
    .flatMap(({ policies }: Json) => policies)
    .flatMap(({ overrides }: Json) => overrides)
    .filter(({ path }: Json) => path === 'capabilities.allowedAdd')
    .flatMap(({ neededBy }: Json) => neededBy)
    .filter(({ name }: Json) => name === pod);
  return {
    used: capabilities(used),
    refused: capabilities(refused),
    noise: noise.map((one: Json) => one.noise),
    allowed: [...new Set<string>(needs.map(({ entry }: Json) => entry))].sort(),
  };
}

/** The given capabilities, without the capabilities that the level restricted allows. */
export function beyondRestricted(capabilities: readonly string[]): string[] {
  return capabilities.filter((name) => name !== 'NET_BIND_SERVICE');
}
