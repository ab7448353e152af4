/**
 * Asks API servers whether an admission policy in a file protects the operator's objects
 * (analysis/protection/protection.ts). The probe is a dry run. If the API server has loaded the file, the admission
 * policy in the file refuses the dry run. All other admission policies ignore this dry run.
 */
import { type ApiClient, ApiError, pathFor } from '../cluster/client.ts';
import { MAY_WRITE, PROTECTION_ANSWER, PROTECTION_PROBE } from '../compile/protection-probe.ts';
import { distinct } from './probe.ts';

export interface ProtectionOutcome {
  /**
   * Whether the API servers protect the objects. The state `OtherOperator` means that the API servers protect the
   * objects, but refuse writes from the user who sends the probe.
   */
  readonly state: 'Protected' | 'OtherOperator' | 'Unprotected' | 'Unknown';
  /** `protecting` counts the API servers that protect the objects. `answering` counts the API servers that answer. */
  readonly servers: { readonly protecting: number; readonly answering: number };
  /**
   * The reason why it is unknown whether API servers protect the objects. The message is empty if the probe has shown
   * whether API servers protect the objects.
   */
  readonly message: string;
}

type Answer = Pick<ProtectionOutcome, 'state' | 'message'>;

/** @param servers one client for each API server that answers */
export async function askProtection(servers: readonly ApiClient[]): Promise<ProtectionOutcome> {
  const answers = await Promise.all(servers.map(ask));
  const having = (state: ProtectionOutcome['state']) => answers.filter((one) => one.state === state);
  const unknown = having('Unknown')[0];
  // Several connections to one address count as one server, as in probe.ts.
  const answering = distinct(servers);
  const isWithout = (_: ApiClient, index: number) => ['Unprotected', 'Unknown'].includes(answers[index]?.state ?? '');
  const without = new Set(servers.filter(isWithout).map(({ server }) => server));
  const state =
    having('Unprotected').length > 0
      ? 'Unprotected'
      : unknown || answers.length === 0
        ? 'Unknown'
        : having('OtherOperator').length > 0
          ? 'OtherOperator'
          : 'Protected';
  return {
    state,
    servers: { protecting: answering - without.size, answering },
    message: state === 'Unknown' ? (unknown?.message ?? 'no API server answers') : '',
  };
}

async function ask(server: ApiClient): Promise<Answer> {
  const { apiVersion, kind } = PROTECTION_PROBE;
  try {
    await server.create(pathFor(apiVersion, kind), PROTECTION_PROBE, { dryRun: true });
    return { state: 'Unprotected', message: '' };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const [, answer] = message.split(PROTECTION_ANSWER);
    if (!(error instanceof ApiError) || answer === undefined) return { state: 'Unknown', message };
    return { state: answer.includes(` ${MAY_WRITE}`) ? 'Protected' : 'OtherOperator', message: '' };
  }
}
