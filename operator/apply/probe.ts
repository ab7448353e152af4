/**
 * Tests whether an API server enforces a ruleset. An admission policy has no status that says so, and each server
 * compiles it separately, up to a second after the write. So we send each server an object that only this ruleset
 * refuses or changes.
 */
import { type ApiClient, ApiError, pathFor } from '../cluster/client.ts';
import { PROBE_ANNOTATION, PROBE_ANSWER, type Probed, probeCarrier } from '../compile/admission-set.ts';

type ProbeAnswer = 'InForce' | 'NotInForce' | 'Inconclusive';

interface ProbeResult {
  /** One for each server, in order; for a set that mutates, both parts have to be in force. */
  readonly answers: readonly ProbeAnswer[];
  /** Why an answer was inconclusive. */
  readonly message: string;
}

interface Answer {
  readonly answer: ProbeAnswer;
  readonly message: string;
}

type Subject = Probed & { readonly mutates: boolean };

/** @param servers one client for each API server that answers */
export async function probe(servers: readonly ApiClient[], set: Subject): Promise<ProbeResult> {
  const results = await Promise.all(servers.map((server) => askAll(server, set)));
  return {
    answers: results.map(({ answer }) => answer),
    message: results.find(({ answer }) => answer === 'Inconclusive')?.message ?? '',
  };
}

/**
 * Whether all API servers give this answer, and why not. Most answers during a rollout are unwanted ones, and one of them
 * decides: so the first server is asked alone.
 */
export async function everywhere(
  servers: readonly ApiClient[],
  set: Subject,
  wanted: ProbeAnswer,
): Promise<{ readonly holds: boolean; readonly message: string }> {
  let message = '';
  for (const some of [servers.slice(0, 1), servers.slice(1)]) {
    const result = await probe(some, set);
    message ||= result.message;
    if (result.answers.some((answer) => answer !== wanted)) return { holds: false, message };
  }
  return { holds: servers.length > 0, message };
}

/** If only a part is in force, the set counts neither as in force nor as out of force. */
async function askAll(server: ApiClient, set: Subject): Promise<Answer> {
  const validates = await askValidation(server, set);
  if (!set.mutates || validates.answer === 'Inconclusive') return validates;
  const mutates = await askMutation(server, set);
  if (mutates.answer === validates.answer || mutates.answer === 'Inconclusive') return mutates;
  return { answer: 'Inconclusive', message: 'defaulting and validation are not in force together yet' };
}

async function askValidation(server: ApiClient, set: Probed): Promise<Answer> {
  try {
    await create(server, set, 'ValidatingAdmissionPolicy');
    return { answer: 'NotInForce', message: '' };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const refused = error instanceof ApiError && message.includes(`${PROBE_ANSWER} ${set.ruleset}`);
    return refused ? { answer: 'InForce', message: '' } : { answer: 'Inconclusive', message };
  }
}

async function askMutation(server: ApiClient, set: Probed): Promise<Answer> {
  try {
    const { metadata } = await create(server, set, 'MutatingAdmissionPolicy');
    const changed = metadata?.annotations?.[PROBE_ANNOTATION] === set.ruleset;
    return { answer: changed ? 'InForce' : 'NotInForce', message: '' };
  } catch (error) {
    return { answer: 'Inconclusive', message: error instanceof Error ? error.message : String(error) };
  }
}

function create(
  server: ApiClient,
  set: Probed,
  of: Parameters<typeof probeCarrier>[1],
): ReturnType<ApiClient['create']> {
  const carrier = probeCarrier(set, of);
  return server.create(pathFor(carrier.apiVersion, carrier.kind), carrier, { dryRun: true });
}
