/** A manifest → the verdicts on the pods that it makes, by the operator's own judge. */
import { objectOf } from '../../cluster/raw.ts';
import {
  type Candidate,
  customCandidate,
  type Judgement,
  judge,
  podCandidate,
  templateCandidate,
} from '../../evaluate/verdict.ts';
import type { FieldPath } from '../input/document.ts';
import { isBuiltIn, roleOf, templatePath } from '../input/kinds.ts';
import type { Manifest } from '../input/manifests.ts';
import { pathText } from '../input/paths.ts';
import { makesPods, qualifiedKind } from '../input/pod-making-kinds.ts';
import { podProblems, podProblemsIn } from '../input/pod-schema.ts';
import { type PodTemplate, podTemplatesIn } from '../input/pod-templates.ts';
import type { Problem } from '../input/schema.ts';
import { checkedFindings, checkedViolations, fieldIn, worst } from './checked.ts';
import type { Grounds } from './grounds.ts';
import type { CheckedItem, ItemVerdict, NotJudged, NotSelectedReason } from './result.ts';

export interface JudgeOptions {
  readonly grounds: Grounds;
  /** Of objects that state none. */
  readonly namespace: string;
}

/** What a manifest amounts to; every part may be empty. */
export interface Judged {
  readonly items: readonly CheckedItem[];
  /** Why it, or a part of it, can't be judged: as the API server would refuse it. */
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
  /** An object of a kind that makes no pods. */
  readonly skipped?: true;
  /** An object that may make pods, none of which was judged. */
  readonly notJudged?: Pick<NotJudged, 'kind' | 'makesPods'>;
}

type Object = Manifest['object'];

/** Where in a manifest a field of its pod is. */
type FieldOf = (inPod: string) => FieldPath;

const NOTHING: Judged = { items: [], problems: [], warnings: [] };

export class ManifestJudge {
  readonly #options: JudgeOptions;

  constructor(options: JudgeOptions) {
    this.#options = options;
  }

  judge(manifest: Manifest): Judged {
    const { apiVersion, kind } = manifest.object;
    const role = roleOf(apiVersion, kind);
    if (typeof role === 'object') return { ...NOTHING, problems: [{ path: ['kind'], message: role.wrong }] };
    if (role === 'other') return isSearched(apiVersion) ? this.#judgeCustom(manifest) : { ...NOTHING, skipped: true };
    if (role !== 'pod' && role !== 'workload') return NOTHING;
    const problems = podProblems(manifest.object, kind, manifest.textOf);
    return problems.length > 0 ? { ...NOTHING, problems } : { ...NOTHING, items: [this.#item(manifest, role)] };
  }

  #item(manifest: Manifest, role: 'pod' | 'workload'): CheckedItem {
    const { object, line } = manifest;
    const candidate = this.#candidate(this.#placed(object), role);
    const fieldOf: FieldOf = (inPod) => fieldIn(templatePath(object.kind), inPod);
    return this.#checked(manifest, { candidate, fieldOf, template: null, line });
  }

  #judgeCustom(manifest: Manifest): Judged {
    const { object, lineOf } = manifest;
    const { apiVersion, kind } = object;
    const items: CheckedItem[] = [];
    const warnings: Problem[] = [];
    for (const template of podTemplatesIn(object)) {
      const problems = podProblemsIn(template.pod);
      // It may be no pod after all, or a text that the kind's operator replaces.
      for (const { path, message } of problems) {
        warnings.push({ path: template.fieldOf(path), message: `${pathText(template.path)}: not judged: ${message}` });
      }
      if (problems.length === 0) items.push(this.#customItem(manifest, template, lineOf(template.path)));
    }
    const judged = { ...NOTHING, items, warnings };
    const makes = isBuiltIn(apiVersion) ? (makesPods(apiVersion, kind) ?? false) : makesPods(apiVersion, kind);
    // Prometheus has `spec.containers` for what it adds to containers of its own, which nothing in it states.
    const isWhole = items.some(({ template }) => template !== 'spec' || makes !== true);
    if (isWhole && warnings.length === 0) return judged;
    if (makes === false && warnings.length === 0) return { ...judged, skipped: true };
    return { ...judged, notJudged: { kind: qualifiedKind(apiVersion, kind), makesPods: makes || null } };
  }

  #customItem(manifest: Manifest, { path, pod, fieldOf }: PodTemplate, line: number): CheckedItem {
    const { projection } = this.#options.grounds;
    const { namespace } = this.#placed(manifest.object).metadata;
    const candidate = customCandidate(namespace, projection.parts(pod));
    return this.#checked(manifest, {
      candidate,
      fieldOf: (inPod) => fieldOf(fieldIn([], inPod)),
      template: pathText(path),
      line,
    });
  }

  /** The object with the namespace that it will be in. */
  #placed(object: Object) {
    return {
      ...object,
      metadata: { ...object.metadata, namespace: object.metadata?.namespace || this.#options.namespace },
    };
  }

  #checked(
    manifest: Manifest,
    {
      candidate,
      fieldOf,
      ...place
    }: { readonly candidate: Candidate | undefined; readonly fieldOf: FieldOf } & Pick<
      CheckedItem,
      'template' | 'line'
    >,
  ): CheckedItem {
    const { object, file, lineOf } = manifest;
    const { namespace, name } = this.#placed(object).metadata;
    const placeOf = (inPod: string) => {
      const path = fieldOf(inPod);
      return { path: pathText(path), line: lineOf(path) };
    };
    const { verdict, judgements } = this.#verdict(candidate);
    return {
      kind: object.kind,
      namespace,
      name: name ?? generatedName(object) ?? '',
      ...place,
      file,
      verdict,
      notSelected: verdict === 'NotSelected' ? this.#whyNotSelected(candidate, namespace) : null,
      violations: judgements.flatMap((judgement) => checkedViolations(judgement, placeOf)),
      findings: candidate ? checkedFindings(candidate.parts.spec, placeOf) : [],
    };
  }

  /** Undefined: it makes no pods, as what has finished. */
  #candidate(object: Object, role: 'pod' | 'workload'): Candidate | undefined {
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

  #whyNotSelected(candidate: Candidate | undefined, namespace: string): NotSelectedReason {
    if (!candidate) return 'NoPods';
    return this.#options.grounds.isExcluded(namespace) ? 'ExcludedNamespace' : 'NoPolicy';
  }
}

/** Whether an object of another kind may hold pod templates; the examples in a CRD's schema are none. */
function isSearched(apiVersion: string): boolean {
  const [group = ''] = apiVersion.split('/');
  return group.includes('.') && !apiVersion.startsWith('apiextensions.k8s.io/');
}

function generatedName({ metadata }: Object): string | undefined {
  const { generateName } = objectOf(metadata);
  return typeof generateName === 'string' ? `${generateName}*` : undefined;
}
