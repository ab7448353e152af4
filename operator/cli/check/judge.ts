/** A manifest → the verdict on it, by the operator's own judge. */
import type { PodSpec } from '../../cluster/objects.ts';
import { findings } from '../../evaluate/findings.ts';
import { type Candidate, type Judgement, judge, podCandidate, templateCandidate } from '../../evaluate/verdict.ts';
import type { FieldPath } from '../input/document.ts';
import { roleOf, templatePath } from '../input/kinds.ts';
import type { Manifest } from '../input/manifests.ts';
import { fieldPath, pathText } from '../input/paths.ts';
import { podProblems } from '../input/pod-schema.ts';
import type { Problem } from '../input/schema.ts';
import type { Grounds } from './grounds.ts';
import type { CheckedFinding, CheckedItem, CheckedViolation, ItemVerdict } from './result.ts';

export interface JudgeOptions {
  readonly grounds: Grounds;
  /** Of objects that state none. */
  readonly namespace: string;
}

/** What became of a manifest; or why it can't be judged, as the API server would refuse it. */
export type Judged = { readonly item: CheckedItem } | { readonly problems: readonly Problem[] } | 'skipped' | 'ground';

export class ManifestJudge {
  readonly #options: JudgeOptions;

  constructor(options: JudgeOptions) {
    this.#options = options;
  }

  judge(manifest: Manifest): Judged {
    const { apiVersion, kind } = manifest.object;
    const role = roleOf(apiVersion, kind);
    if (typeof role === 'object') return { problems: [{ path: ['kind'], message: role.wrong }] };
    if (role === 'other') return 'skipped';
    if (role !== 'pod' && role !== 'workload') return 'ground';
    const problems = podProblems(manifest.object, kind);
    return problems.length > 0 ? { problems } : { item: this.#item(manifest, role) };
  }

  #item(manifest: Manifest, role: 'pod' | 'workload'): CheckedItem {
    const { object, file, line } = manifest;
    const { kind, metadata } = object;
    const namespace = metadata?.namespace || this.#options.namespace;
    const named = { ...object, metadata: { ...metadata, namespace } };
    const candidate = this.#candidate(named, role);
    const { verdict, judgements } = this.#verdict(candidate);
    return {
      kind,
      namespace,
      name: metadata?.name ?? generatedName(object) ?? '',
      file,
      line,
      verdict,
      violations: judgements.flatMap((judgement) => violationsIn(judgement, manifest)),
      findings: candidate ? adviceOn(candidate.parts.spec, manifest) : [],
    };
  }

  /** Undefined: it makes no pods, as what has finished. */
  #candidate(object: Manifest['object'], role: 'pod' | 'workload'): Candidate | undefined {
    const { projection } = this.#options.grounds;
    if (role === 'workload') {
      const view = projection.workload(object);
      return view.finished ? undefined : templateCandidate(view);
    }
    const view = projection.pod(object);
    // Unlike a pod that runs, it has still to be filled by defaulting.
    return view.mirror || view.finished ? undefined : { ...podCandidate(view), filled: true };
  }

  #verdict(candidate: Candidate | undefined): { verdict: ItemVerdict; judgements: readonly Judgement[] } {
    const { grounds } = this.#options;
    if (!candidate) return { verdict: 'NotSelected', judgements: [] };
    const all = grounds.parties(candidate.namespace).map((policies) => judge(candidate, policies, grounds.court));
    const verdict = (['Violating', 'Unknown', 'Compliant'] as const).find((one) =>
      all.some((judgement) => judgement.verdict === one),
    );
    return { verdict: verdict ?? 'NotSelected', judgements: all.filter((judgement) => judgement.verdict === verdict) };
  }
}

function adviceOn(spec: PodSpec, manifest: Manifest): CheckedFinding[] {
  return findings(spec).map(({ reason, container, message, path }) => ({
    reason,
    container,
    message,
    ...located(path, manifest),
  }));
}

function violationsIn({ violations }: Judgement, manifest: Manifest): CheckedViolation[] {
  return Object.entries(violations).flatMap(([policy, ofPolicy]) =>
    ofPolicy.map(({ rule, container, message, path }) => ({
      policy,
      rule,
      container: container ?? null,
      message,
      ...located(path, manifest),
    })),
  );
}

/** @param path from the PodSpec on, or of the pod's metadata */
function located(path: string, { object: { kind }, lineOf }: Manifest): { path: string; line: number } {
  const inPod = fieldPath(path);
  const pod = templatePath(kind);
  const full: FieldPath = inPod[0] === 'metadata' ? [...pod, ...inPod] : [...pod, 'spec', ...inPod];
  return { path: pathText(full), line: lineOf(full) };
}

function generatedName({ metadata }: Manifest['object']): string | undefined {
  const { generateName } = (metadata ?? {}) as { generateName?: unknown };
  return typeof generateName === 'string' ? `${generateName}*` : undefined;
}
