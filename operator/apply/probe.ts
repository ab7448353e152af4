/**
 * Whether an API server refuses by a ruleset. An admission policy has no status that says so, and each server compiles
 * it on its own, up to a second after it was written: so we ask, with an object that only this ruleset refuses.
 */
import { type ApiClient, ApiError, pathFor } from '../cluster/client.ts';
import { type AdmissionSet, PROBE_ANSWER, probeCarrier } from '../compile/admission-policy.ts';

export type ProbeAnswer = 'InForce' | 'NotInForce' | 'Inconclusive';

export interface ProbeResult {
  readonly answers: readonly ProbeAnswer[];
  /** Why an answer was inconclusive. */
  readonly message: string;
}

/** @param servers one client for each API server that answers */
export async function probe(
  servers: readonly ApiClient[],
  set: Pick<AdmissionSet, 'policy' | 'ruleset'>,
  namespace: string,
): Promise<ProbeResult> {
  const results = await Promise.all(servers.map((server) => ask(server, set, namespace)));
  return {
    answers: results.map(({ answer }) => answer),
    message: results.find(({ answer }) => answer === 'Inconclusive')?.message ?? '',
  };
}

export function everywhere({ answers }: ProbeResult, answer: ProbeAnswer): boolean {
  return answers.length > 0 && answers.every((one) => one === answer);
}

async function ask(server: ApiClient, set: Pick<AdmissionSet, 'policy' | 'ruleset'>, namespace: string) {
  const path = pathFor('v1', 'PodTemplate', namespace);
  try {
    await server.create(path, probeCarrier(set, namespace), { dryRun: true });
    return { answer: 'NotInForce' as const, message: '' };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (error instanceof ApiError && message.includes(`${PROBE_ANSWER} ${set.ruleset}`)) {
      return { answer: 'InForce' as const, message: '' };
    }
    return { answer: 'Inconclusive' as const, message };
  }
}
