/** A manifest → the verdict on it, by the operator's own judge. */
import { type Candidate, type Judgement, judge, podCandidate, templateCandidate } from '../../evaluate/verdict.ts';
import { roleOf, templatePath } from '../input/kinds.ts';
import type { Manifest } from '../input/manifests.ts';
import { pathText } from '../input/paths.ts';
import { podProblems } from '../input/pod-schema.ts';
import type { Problem } from '../input/schema.ts';
import { checkedFindings, checkedViolations, fieldIn, worst } from './checked.ts';
import type { Grounds } from './grounds.ts';
import type { CheckedItem, ItemVerdict } from './result.ts';

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
    const problems = podProblems(manifest.object, kind, manifest.textOf);
    return problems.length > 0 ? { problems } : { item: this.#item(manifest, role) };
  }

  #item(manifest: Manifest, role: 'pod' | 'workload'): CheckedItem {
    const { object, file, line } = manifest;
    const { kind, metadata } = object;
    const namespace = metadata?.namespace || this.#options.namespace;
    const named = { ...object, metadata: { ...metadata, namespace } };
    const candidate = this.#candidate(named, role);
    const { verdict, judgements } = this.#verdict(candidate);
    const placeOf = placeIn(manifest);
    return {
      kind,
      namespace,
      name: metadata?.name ?? generatedName(object) ?? '',
      file,
      line,
      verdict,
      violations: judgements.flatMap((judgement) => checkedViolations(judgement, placeOf)),
      findings: candidate ? checkedFindings(candidate.parts.spec, placeOf) : [],
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
    const verdict = worst(all.map((judgement) => judgement.verdict));
    return { verdict, judgements: all.filter((judgement) => judgement.verdict === verdict) };
  }
}

/** Where in the manifest a field of its pod is. */
function placeIn({ object: { kind }, lineOf }: Manifest) {
  return (path: string) => {
    const full = fieldIn(templatePath(kind), path);
    return { path: pathText(full), line: lineOf(full) };
  };
}

function generatedName({ metadata }: Manifest['object']): string | undefined {
  const { generateName } = (metadata ?? {}) as { generateName?: unknown };
  return typeof generateName === 'string' ? `${generateName}*` : undefined;
}
