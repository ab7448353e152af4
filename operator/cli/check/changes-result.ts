/** The changes that a policy would make, as `-o json` prints it: docs/reference/check-changes.schema.json describes it. */
import type { Outcome } from '../outcome.ts';
import type { CheckedPolicy, CheckedViolation } from './result.ts';

export interface Changes {
  /** The candidates, and the live policies that stay. */
  readonly policies: readonly CheckedPolicy[];
  readonly candidates: readonly string[];
  /** Those that a candidate selects, and those with changes. */
  readonly namespaces: readonly NamespaceChange[];
  /** Workloads whose outcome is another one; by namespace, kind and name. */
  readonly changes: readonly Change[];
  readonly summary: ChangeSummary;
}

/**
 * NewlyRefused: refused with the candidates, and not before. PerhapsRefused: refused or not with the candidates, depending
 * on who creates the pod. NewlyAdmitted: refused before, or perhaps, and not with the candidates. ReportedOtherwise:
 * admitted before and with the candidates, but a warning or an audit annotation comes or goes.
 */
export type ChangeKind = 'NewlyRefused' | 'PerhapsRefused' | 'NewlyAdmitted' | 'ReportedOtherwise';

export interface Change {
  readonly namespace: string;
  readonly kind: string;
  readonly name: string;
  readonly change: ChangeKind;
  /** The worst outcome over all modes. */
  readonly before: Outcome;
  readonly after: Outcome;
  /** Why it is not simply admitted then. */
  readonly violations: readonly CheckedViolation[];
}

/** How many workloads have which outcome. */
export type OutcomeCounts = Readonly<Record<Lowercase<Outcome>, number>>;

export interface ChangeCounts {
  readonly workloads: number;
  readonly newlyRefused: number;
  readonly perhapsRefused: number;
  readonly newlyAdmitted: number;
  readonly reportedOtherwise: number;
  readonly unchanged: number;
}

export interface NamespaceChange extends ChangeCounts {
  readonly namespace: string;
  readonly before: OutcomeCounts;
  readonly after: OutcomeCounts;
  /** With the candidates in mode Enforce, nothing that runs there would be refused; null where no candidate is for it. */
  readonly safeToEnforce: boolean | null;
  /** The workloads that would be refused then; empty where it is safe. */
  readonly refusedIfEnforced: readonly RefusedIfEnforced[];
}

export interface RefusedIfEnforced {
  readonly kind: string;
  readonly name: string;
  /** Unknown: it depends on who creates the pod. */
  readonly outcome: 'Refused' | 'Unknown';
  readonly violations: readonly CheckedViolation[];
}

export interface ChangeSummary extends ChangeCounts {
  readonly namespaces: number;
  /** Of the namespaces that a candidate is for. */
  readonly safeToEnforce: number;
  readonly candidateNamespaces: number;
}
