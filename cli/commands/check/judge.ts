/** A manifest → the verdicts on the pods that it makes, by the operator's own judge. */
import { createProjection } from '../../../operator/cluster/projection.ts';
import { UNSHARED } from '../../../operator/cluster/sharing.ts';
import {
  type Candidate,
  customCandidate,
  type Judgement,
  judge,
  podCandidate,
  templateCandidate,
} from '../../../operator/evaluate/verdict.ts';
import { qualifiedKind, templatePath } from '../../../operator/model/workload-kinds.ts';
import { RULES } from '../../../operator/rules/index.ts';
import { isBuiltIn, isSearched, roleOf } from '../../input/kinds.ts';
import { type InputObject, identityOf } from '../../input/manifests.ts';
import { makesPods } from '../../input/pod-making-kinds.ts';
import { metadataProblems, podProblems, podProblemsIn } from '../../input/pod-schema.ts';
import { type PodTemplate, podTemplatesIn } from '../../input/pod-templates.ts';
import { fieldProblems, type UnknownField, unknownFieldsOf } from '../../input/unknown-fields.ts';
import type { PolicyContext } from '../../policies/context.ts';
import { type FieldPath, pathText } from '../../schema/paths.ts';
import type { Problem } from '../../schema/problems.ts';
import { checkedFindings, checkedViolations, fieldIn, worst } from './checked.ts';
import { misspeltIn, withMisspelt } from './misspelt.ts';
import type { CheckedItem, ItemVerdict, NotJudged, NotSelectedReason } from './result.ts';

interface JudgeOptions {
  readonly context: PolicyContext;
  /** The namespace of objects that state none. */
  readonly namespace: string;
}

/** The result for one manifest; every part may be empty. */
export interface Judged {
  readonly items: readonly CheckedItem[];
  /** Why the manifest or a part of it can't be judged, in the API server's words. */
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
  /** An object of a kind that makes no pods. */
  readonly skipped?: true;
  /** An object that may make pods, but in which no pod was judged. */
  readonly notJudged?: Pick<NotJudged, 'kind' | 'makesPods'>;
}

type Object = InputObject['object'];

/** Maps a field of a pod to its path in the manifest. */
type FieldOf = (inPod: string) => FieldPath;

/** A pod in a manifest, with its path. */
interface Candidature extends Pick<CheckedItem, 'template' | 'line'> {
  /** Undefined when the object makes no pods, as a finished Job. */
  readonly candidate: Candidate | undefined;
  readonly fieldOf: FieldOf;
  readonly unknown: readonly UnknownField[];
}

const NOTHING: Judged = { items: [], problems: [], warnings: [] };

export class ManifestJudge {
  readonly #options: JudgeOptions;
  readonly #projection = createProjection(RULES, UNSHARED);

  constructor(options: JudgeOptions) {
    this.#options = options;
  }

  judge(manifest: InputObject): Judged {
    const { apiVersion, kind } = manifest.object;
    const role = roleOf(apiVersion, kind);
    if (typeof role === 'object') return { ...NOTHING, problems: [{ path: ['kind'], message: role.wrong }] };
    if (role === 'other') return isSearched(apiVersion) ? this.#judgeCustom(manifest) : { ...NOTHING, skipped: true };
    if (role !== 'pod' && role !== 'workload') return NOTHING;
    const unknown = unknownFieldsOf(manifest.object, apiVersion, kind);
    const { problems, warnings } = fieldProblems(unknown);
    const wrong = podProblems(manifest.object, kind, manifest.textOf);
    const items = wrong.length > 0 ? [] : [this.#item(manifest, role, unknown)];
    return { items, problems: [...wrong, ...problems], warnings };
  }

  #item(manifest: InputObject, role: 'pod' | 'workload', unknown: readonly UnknownField[]): CheckedItem {
    const { object, line } = manifest;
    const candidate = this.#candidate(this.#placed(object), role);
    const fieldOf: FieldOf = (inPod) => fieldIn(templatePath(object.kind), inPod);
    return this.#checked(manifest, { candidate, fieldOf, unknown, template: null, line });
  }

  #judgeCustom(manifest: InputObject): Judged {
    const { object, lineOf } = manifest;
    const { apiVersion, kind } = object;
    const wrong = metadataProblems(object, manifest.textOf);
    if (wrong.length > 0) return { ...NOTHING, problems: wrong };
    const items: CheckedItem[] = [];
    const warnings: Problem[] = [];
    const fields: UnknownField[] = [];
    for (const template of podTemplatesIn(object)) {
      const problems = podProblemsIn(template.pod);
      // The match may not be a pod, or the value may be a placeholder that the kind's operator replaces.
      for (const { path, message } of problems) {
        warnings.push({ path: template.fieldOf(path), message: `${pathText(template.path)}: not judged: ${message}` });
      }
      if (problems.length === 0) {
        const unknown = misspeltIn(template);
        // The kind may have fields of its own beside those of a pod.
        fields.push(...unknown);
        items.push(this.#customItem(manifest, template, { unknown, line: lineOf(template.path) }));
      }
    }
    const judged = { ...NOTHING, items, warnings: [...warnings, ...fields] };
    const makes = isBuiltIn(apiVersion) ? (makesPods(apiVersion, kind) ?? false) : makesPods(apiVersion, kind);
    // Prometheus uses `spec.containers` to patch its operator's own containers, which the object does not contain.
    const isWhole = items.some(({ template }) => template !== 'spec' || makes !== true);
    if (isWhole && warnings.length === 0) return judged;
    if (makes === false && warnings.length === 0) return { ...judged, skipped: true };
    return { ...judged, notJudged: { kind: qualifiedKind(apiVersion, kind), makesPods: makes || null } };
  }

  #customItem(
    manifest: InputObject,
    { path, pod, fieldOf }: PodTemplate,
    known: { readonly unknown: readonly UnknownField[]; readonly line: number },
  ): CheckedItem {
    const { namespace } = identityOf(manifest.object, this.#options.namespace);
    const candidate = customCandidate(namespace, this.#projection.parts(pod));
    return this.#checked(manifest, {
      candidate,
      fieldOf: (inPod) => fieldOf(fieldIn([], inPod)),
      template: pathText(path),
      ...known,
    });
  }

  /** The object with the namespace that it will be in. */
  #placed(object: Object) {
    const { namespace } = identityOf(object, this.#options.namespace);
    return { ...object, metadata: { ...object.metadata, namespace } };
  }

  #checked(manifest: InputObject, { candidate, fieldOf, unknown, ...place }: Candidature): CheckedItem {
    const { object, file, lineOf } = manifest;
    const { namespace, name } = identityOf(object, this.#options.namespace);
    const placeOf = (inPod: string) => {
      const path = fieldOf(inPod);
      return { path: pathText(path), line: lineOf(path) };
    };
    const { verdict, judgements } = this.#verdict(candidate);
    return {
      kind: object.kind,
      namespace,
      name,
      ...place,
      file,
      verdict,
      notSelected: verdict === 'NotSelected' ? this.#whyNotSelected(candidate, namespace) : null,
      violations: withMisspelt(
        judgements.flatMap((judgement) => checkedViolations(judgement, placeOf)),
        unknown,
        lineOf,
      ),
      findings: candidate ? checkedFindings(candidate.parts.spec, placeOf) : [],
    };
  }

  /** Undefined when the object makes no pods, as a finished Job. */
  #candidate(object: Object, role: 'pod' | 'workload'): Candidate | undefined {
    if (role === 'workload') {
      const view = this.#projection.workload(object);
      return view.finished ? undefined : templateCandidate(view);
    }
    const view = this.#projection.pod(object);
    // Unlike a running pod, it has not been filled by defaulting yet.
    return view.mirror || view.finished ? undefined : { ...podCandidate(view), filled: true };
  }

  #verdict(candidate: Candidate | undefined): { verdict: ItemVerdict; judgements: readonly Judgement[] } {
    const { context } = this.#options;
    if (!candidate) return { verdict: 'NotSelected', judgements: [] };
    const all = context.deciding(candidate.namespace).map((policies) => judge(candidate, policies, context.court));
    const verdict = worst(all.map((judgement) => judgement.verdict));
    return { verdict, judgements: all.filter((judgement) => judgement.verdict === verdict) };
  }

  #whyNotSelected(candidate: Candidate | undefined, namespace: string): NotSelectedReason {
    if (!candidate) return 'NoPods';
    return this.#options.context.isExcluded(namespace) ? 'ExcludedNamespace' : 'NoPolicy';
  }
}
