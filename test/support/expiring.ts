/**
 * Two policies that decide in one namespace, and pods that only one of them admits. The policy of higher priority can
 * expire.
 */
import type { CapabilityPolicySpec } from '../../operator/api/capability-policy.ts';
import { formatTime } from '../../operator/policy/expiry.ts';
import type { Attempt } from './around-the-end.ts';
import { CREATOR, type TestCluster, useCluster } from './harness.ts';
import { restrictedPod } from './pod-manifests.ts';

export const SECOND = 1_000;
/**
 * The seconds from writing `expires` until the policy expires. On a busy machine, API servers need longer to enforce
 * the new text.
 */
const LEADS = [15, 60, 120];
/** The least time in ms before the expiry in which each client makes an attempt. */
const LEAST_LEFT_MS = 5_000;
export const PODS = {
  'only the exception admits': restrictedPod({ add: ['NET_RAW'] }),
  'only the other policy admits': restrictedPod({ add: ['SYS_TIME'] }),
  'both admit': restrictedPod(),
  'none admits': restrictedPod({ add: ['SYS_ADMIN'] }),
};
type Pod = keyof typeof PODS;

/** Whether each pod is admitted before and after the expiry of the policy. */
const EXPECTED: Record<Pod, readonly [boolean, boolean]> = {
  'only the exception admits': [true, false],
  'only the other policy admits': [false, true],
  'both admit': [true, true],
  'none admits': [false, false],
};

/** Whether the answer to the attempt is not the expected one. */
export function wrong({ pod, sentAt, receivedAt, admitted, created }: Attempt, end: number): boolean {
  const [before, after] = EXPECTED[pod as Pod];
  if (created !== undefined) return !(created < end ? before : after);
  if (receivedAt < end) return admitted !== before;
  return sentAt >= end && admitted !== after;
}

export interface Expiring {
  readonly cluster: TestCluster;
  readonly namespace: string;
  readonly exception: string;
  readonly other: string;
  /** Sets the expiry of the exception, in ms since 1970. Without an argument, the exception does not expire. */
  exceptionFor(expires?: number): Promise<string>;
  /** Lets the exception expire soon. @returns the expiry, in ms since 1970. Until then, the exception is in force */
  endsSoon(): Promise<number>;
}

export function useExpiring(prefix: string): Expiring {
  const cluster = useCluster(prefix);
  const [namespace, exception, other] = [cluster.named('net'), cluster.named('exception'), cluster.named('other')];

  const spec = (add: string, rest: object = {}): CapabilityPolicySpec => ({
    namespaceSelector: { matchLabels: { team: prefix } },
    level: 'restricted',
    mode: 'Enforce',
    overrides: { capabilities: { allowedAdd: [add as 'NET_RAW'] } },
    ...rest,
  });
  const exceptionFor = (expires?: number) =>
    cluster.policy(
      'exception',
      spec('NET_RAW', {
        priority: 10,
        usableBy: 'Subjects',
        subjects: [{ kind: 'User', name: CREATOR.user }],
        reason: 'until the test is over',
        ...(expires !== undefined && { expires: formatTime(expires) }),
      }),
    );

  async function endsSoon(): Promise<number> {
    for (const lead of LEADS) {
      const at = (Math.ceil(Date.now() / SECOND) + lead) * SECOND;
      await exceptionFor(at);
      await cluster.programmed(exception, other);
      if (Date.now() < at - LEAST_LEFT_MS) return at;
    }
    throw new Error('no end was in force before it came');
  }

  before(async () => {
    await cluster.namespace('net', { team: prefix });
    await cluster.policy('other', spec('SYS_TIME', { podSecurityLabels: 'Managed' }));
    await exceptionFor();
    await cluster.programmed(exception, other);
  });

  return { cluster, namespace, exception, other, exceptionFor, endsSoon };
}
