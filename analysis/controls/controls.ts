/**
 * Defines the controls of the hardening guides, and finds the pods that break each control. Each control is written as
 * overrides of level privileged. The CEL of the rules finds the pods that break the control.
 */
import type { CapabilityPolicyOverrides } from '../../operator/api/capability-policy.ts';
import { checksOf, type RuleChecks } from '../../operator/policy/resolve.ts';
import { RULES } from '../../operator/rules/index.ts';
import type { Rule } from '../../operator/rules/rule.ts';
import { CAPABILITIES } from '../../operator/standards/capabilities.ts';
import {
  CIS_BENCHMARK,
  CIS_CONTROLS,
  type CisControl,
  NSA_GUIDE,
  NSA_RECOMMENDATIONS,
  type NsaRecommendation,
} from '../../operator/standards/hardening-guides.ts';
import { NEWEST_KNOWN_MINOR, type Standard } from '../../operator/standards/level-version.ts';

export interface Control {
  /** The name of the guide, with its version. */
  readonly guide: string;
  /**
   * The number of the recommendation. The NSA's guide has no numbers, so this project gives names to the
   * recommendations of that guide.
   */
  readonly id: CisControl | NsaRecommendation;
  readonly about: string;
  /** The rules that cover the control. The file of each rule names the controls that the rule covers. */
  readonly rules: readonly Rule[];
  /** Overrides of the level privileged. The overrides refuse exactly the pods that break the control. */
  readonly wants: CapabilityPolicyOverrides;
  readonly checks: readonly RuleChecks[];
  /** The checks after defaulting equal `checks`, because a control fills in nothing. */
  readonly filledChecks: readonly RuleChecks[];
  readonly unseen?: Unseen;
}

/** The part of a control that cannot be seen, because no field of a pod shows this part. */
export interface Unseen {
  readonly what: string;
  /**
   * Whether running pods show this part of the control. If running pods show a part of a control, `cappol` sees the
   * part in workloads with pods, but not in workloads without pods.
   */
  readonly inPods: boolean;
}

/**
 * Controls use the level privileged. The level privileged itself checks nothing. A control therefore checks only its
 * own overrides.
 */
const STANDARD: Standard = { level: 'privileged', minor: NEWEST_KNOWN_MINOR, server: NEWEST_KNOWN_MINOR };

const NOT_ROOT: CapabilityPolicyOverrides = { runAsUser: { rule: 'MustRunAsNonRoot' } };
const NO_ESCALATION: CapabilityPolicyOverrides = { allowPrivilegeEscalation: false };
const NO_TOKEN: CapabilityPolicyOverrides = { serviceAccountToken: 'Forbidden' };

const CIS: Readonly<Record<CisControl, CapabilityPolicyOverrides>> = {
  '5.1.6': NO_TOKEN,
  '5.2.2': { privileged: false },
  '5.2.3': { hostPID: false },
  '5.2.4': { hostIPC: false },
  '5.2.5': { hostNetwork: false },
  '5.2.6': NO_ESCALATION,
  '5.2.7': NOT_ROOT,
  '5.2.8': { capabilities: { allowedBounding: CAPABILITIES.filter((name) => name !== 'NET_RAW') } },
  '5.2.9': { capabilities: { allowedAdd: [], allowedBounding: [] } },
  '5.2.10': { hostProcess: false },
  '5.2.11': { hostPaths: [] },
  '5.2.12': { hostPorts: [] },
  '5.6.2': { seccomp: { types: ['RuntimeDefault'], unset: 'Refused' } },
};

const NSA: Readonly<Record<NsaRecommendation, CapabilityPolicyOverrides>> = {
  NonRoot: NOT_ROOT,
  ImmutableFileSystem: { readOnlyRootFilesystem: true },
  Privileged: { privileged: false },
  Breakout: { hostPID: false, hostIPC: false, hostNetwork: false, hostPaths: [] },
  Root: { ...NOT_ROOT, ...NO_ESCALATION },
  SecurityServices: {
    seccomp: { types: ['RuntimeDefault', 'Localhost'], unset: 'Refused' },
    appArmor: { types: ['RuntimeDefault', 'Localhost'] },
    seLinux: { rule: 'PodSecurityStandard' },
  },
  ServiceAccountTokens: NO_TOKEN,
};

const TOKEN_OF_ACCOUNT: Unseen = {
  what: 'whether a workload without running pods will get a token, because the token may depend on the service account',
  inPods: true,
};

const UNSEEN: Partial<Readonly<Record<CisControl | NsaRecommendation, Unseen>>> = {
  '5.1.6': TOKEN_OF_ACCOUNT,
  ServiceAccountTokens: TOKEN_OF_ACCOUNT,
  SecurityServices: {
    what: 'whether nodes run SELinux or AppArmor, and what the profiles on nodes contain',
    inPods: false,
  },
};

/** The controls that rules cover, in the order in which the guides list them. */
export const CONTROLS: readonly Control[] = [
  ...Object.entries(CIS_CONTROLS).map(([id, about]) => control(CIS_BENCHMARK, id as CisControl, about)),
  ...Object.entries(NSA_RECOMMENDATIONS).map(([id, about]) => control(NSA_GUIDE, id as NsaRecommendation, about)),
];

function control(guide: string, id: CisControl | NsaRecommendation, about: string): Control {
  const wants = { ...CIS, ...NSA }[id];
  const values = Object.fromEntries(RULES.map((rule) => [rule.id, rule.value(wants, STANDARD)]));
  const checks = checksOf({ values, containers: [], standard: STANDARD }, false);
  const rules = RULES.filter(({ guides }) => [...guides.cis, ...guides.nsa].some((one) => one === id));
  const unseen = UNSEEN[id];
  return { guide, id, about, rules, wants, checks, filledChecks: checks, ...(unseen && { unseen }) };
}
