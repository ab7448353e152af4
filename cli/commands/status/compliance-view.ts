/** The summary by controls of hardening guides, as `-o compliance-json` prints it. */
import {
  assessControls,
  type BreakingWorkload,
  type ControlResult,
  distinctExceptions,
  type Exception,
} from '../../../analysis/controls/assess.ts';
import type { Evaluator } from '../../../operator/evaluate/violations.ts';
import type { WorkloadName } from '../../../operator/evaluate/workloads.ts';
import type { Rights } from '../../live.ts';
import { type Readable, unreachedNamespaces } from './view.ts';

/** The summary by controls, as docs/reference/compliance.schema.json describes it. */
export interface ComplianceView {
  /** The guides, with their versions. */
  readonly guides: readonly string[];
  readonly installed: boolean;
  readonly namespaces: readonly string[];
  /** The number of assessed workloads. */
  readonly workloads: number;
  readonly controls: readonly ControlView[];
  /** The policies that make workloads count as excepted, sorted by name. */
  readonly exceptions: readonly ExceptionView[];
  /** The names of the namespaces that are not assessed, because no policy reaches these namespaces. */
  readonly leftOut: readonly string[];
  readonly missing: readonly string[];
}

export interface ControlView {
  readonly guide: string;
  readonly id: string;
  readonly about: string;
  readonly passed: number;
  readonly partly: number;
  /**
   * The part of the control that the summary cannot show. If the fields of pods show every part of the control, the
   * value is null.
   */
  readonly unseen: string | null;
  readonly failed: readonly BrokenBy[];
  readonly excepted: readonly ExceptedBy[];
}

export interface BrokenBy extends WorkloadName {
  readonly breaks: readonly { readonly rule: string; readonly container: string | null }[];
}

export interface ExceptedBy extends BrokenBy {
  /** The names of the policies that admit the workload and give a reason. */
  readonly policies: readonly string[];
}

export interface ExceptionView {
  readonly policy: string;
  readonly reason: string;
  readonly expires: string | null;
}

type Assessed = Omit<Readable, 'protection'> & Pick<Rights, 'installed'>;

export function complianceView(readable: Assessed, evaluator: Evaluator): ComplianceView {
  const { cluster, state, usersKnown, installed, missing, namespace } = readable;
  const result = assessControls({ cluster, policies: state, usersKnown, namespace }, evaluator);
  return {
    guides: [...new Set(result.controls.map(({ control }) => control.guide))],
    installed,
    namespaces: result.namespaces,
    workloads: result.workloads,
    controls: result.controls.map(controlView),
    exceptions: distinctExceptions(
      result.controls.flatMap(({ excepted }) => excepted.map(({ policies }) => policies)),
    ).map(exceptionView),
    leftOut: unreachedNamespaces(readable),
    missing,
  };
}

function controlView({ control, passed, partly, failed, excepted }: ControlResult): ControlView {
  const { guide, id, about, unseen } = control;
  return {
    guide,
    id,
    about,
    passed,
    partly,
    unseen: unseen?.what ?? null,
    failed: failed.map(brokenBy),
    excepted: excepted.map((one) => ({ ...brokenBy(one), policies: one.policies.map(({ name }) => name) })),
  };
}

function brokenBy({ namespace, kind, name, breaks }: BreakingWorkload): BrokenBy {
  return { namespace, kind, name, breaks: breaks.map(({ rule, container = null }) => ({ rule, container })) };
}

function exceptionView({ name: policy, reason, expires }: Exception): ExceptionView {
  return { policy, reason, expires: expires ?? null };
}
