/**
 * Contains the hardening guides that auditors ask for, and the recommendations that the rules of policies cover. The
 * texts of the recommendations are this project's own words. The original guides are at
 * cisecurity.org/benchmark/kubernetes and at media.defense.gov.
 */

/**
 * The CIS benchmark. The benchmark's versions 1.12 and 2.0 have the same recommendations and numbers as v2.0.1. Up to
 * v1.11 of the benchmark, the recommendation 5.2.9 was about added capabilities. In these versions, the numbers of all
 * later recommendations were higher by one. Up to v1.10 of the benchmark, the recommendation about seccomp was 5.7.2.
 * The numbers come from cfg/cis-2.0/policies.yaml of kube-bench.
 */
export const CIS_BENCHMARK = 'CIS Kubernetes Benchmark v2.0.1';

export const CIS_CONTROLS = {
  '5.1.6': 'service account tokens only where necessary',
  '5.2.2': 'few privileged containers',
  '5.2.3': "few containers with the node's process IDs",
  '5.2.4': "few containers with the node's IPC",
  '5.2.5': "few containers with the node's network",
  '5.2.6': 'few containers with allowPrivilegeEscalation',
  '5.2.7': 'few containers that run as root',
  '5.2.8': 'few containers with NET_RAW',
  '5.2.9': 'few containers that hold capabilities',
  '5.2.10': 'few Windows HostProcess containers',
  '5.2.11': 'few hostPath volumes',
  '5.2.12': 'few containers with host ports',
  '5.6.2': "the container runtime's seccomp profile",
} as const;
export type CisControl = keyof typeof CIS_CONTROLS;

/**
 * The NSA's guide. The NSA's guide does not number its recommendations. The listed recommendations are from the guide's
 * chapter on pod security.
 */
export const NSA_GUIDE = 'NSA/CISA Kubernetes Hardening Guide v1.2';

export const NSA_RECOMMENDATIONS = {
  NonRoot: 'run containers as users that are not root',
  ImmutableFileSystem: 'run containers with immutable file systems',
  Privileged: 'prevent privileged containers',
  Breakout: 'deny features that are often used to break out: hostPID, hostIPC, hostNetwork, allowedHostPath',
  Root: 'reject containers that run as root or allow elevation to root',
  SecurityServices: 'harden applications with SELinux, AppArmor and seccomp',
  ServiceAccountTokens: 'mount tokens of service accounts only where a process needs them',
} as const;
export type NsaRecommendation = keyof typeof NSA_RECOMMENDATIONS;

/**
 * The recommendations that a rule covers. The list of a guide is empty if the guide has no recommendation on the
 * subject of the rule.
 */
export interface GuideReferences {
  readonly cis: readonly CisControl[];
  readonly nsa: readonly NsaRecommendation[];
}

/** One recommendation, in a form for programs and people. */
export interface Reference {
  readonly guide: string;
  /** The number of the recommendation, such as `5.2.2`. The value is null for the NSA's guide, which has no numbers. */
  readonly control: string | null;
  readonly about: string;
}

export function referencesOf({ cis, nsa }: GuideReferences): Reference[] {
  return [
    ...cis.map((control) => ({ guide: CIS_BENCHMARK, control, about: CIS_CONTROLS[control] })),
    ...nsa.map((name) => ({ guide: NSA_GUIDE, control: null, about: NSA_RECOMMENDATIONS[name] })),
  ];
}

/**
 * Returns the recommendations that a rule covers as properties of a policy report. Each guide has one string with all
 * of its recommendations.
 */
export function referenceProperties({ cis, nsa }: GuideReferences): { readonly cis?: string; readonly nsa?: string } {
  return {
    ...(cis.length > 0 && { cis: `${CIS_BENCHMARK}: ${cis.join(', ')}` }),
    ...(nsa.length > 0 && { nsa: `${NSA_GUIDE}: ${nsa.map((name) => NSA_RECOMMENDATIONS[name]).join('; ')}` }),
  };
}
