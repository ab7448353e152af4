/** Evaluates the pods that a manifest makes. The operator's own code evaluates each pod. */
import type { Mode } from '../../operator/api/capability-policy.ts';
import { type Candidate, evaluate, type PodVerdict } from '../../operator/evaluate/verdict.ts';
import { type InputObject, identityOf } from '../manifests/document-objects.ts';
import { automountsBy } from '../policies/automounting.ts';
import { type Candidature, type Candidatures, PodCandidates } from '../policies/candidates.ts';
import type { PolicyContext } from '../policies/context.ts';
import { pathText } from '../schema/paths.ts';
import { checkedFindings, checkedViolations, fieldIn, worst } from './checked.ts';
import { withMisspelt } from './misspelt.ts';
import { AS_IT_IS } from './origin.ts';
import type { CheckedItem, ItemVerdict, NotSelectedReason } from './result.ts';

interface ManifestEvaluatorOptions {
  readonly context: PolicyContext;
  /** The namespace of objects that have no `metadata.namespace`. */
  readonly namespace: string;
}

interface ModeVerdict {
  readonly mode: Mode;
  readonly result: PodVerdict;
}

/** The result for one manifest. Every list in the result may be empty. */
export interface Evaluated extends Omit<Candidatures, 'candidatures'> {
  readonly items: readonly CheckedItem[];
}

export class ManifestEvaluator {
  readonly #options: ManifestEvaluatorOptions;
  readonly #candidates: PodCandidates;

  constructor(options: ManifestEvaluatorOptions) {
    this.#options = options;
    const { context, namespace } = options;
    this.#candidates = new PodCandidates(namespace, automountsBy(context.automounting, namespace));
  }

  evaluate(manifest: InputObject): Evaluated {
    const { candidatures, ...rest } = this.#candidates.of(manifest);
    return { ...rest, items: candidatures.map((one) => this.#item(manifest, one)) };
  }

  #item(manifest: InputObject, { candidate, fieldOf, unknown, ...place }: Candidature): CheckedItem {
    const { object, file, lineOf } = manifest;
    const { namespace, name } = identityOf(object, this.#options.namespace);
    const locate = (inPod: string) => {
      const path = fieldOf(fieldIn([], inPod));
      return { path: pathText(path), line: lineOf(path) };
    };
    const { verdict, ofModes } = this.#verdict(candidate);
    return {
      kind: object.kind,
      namespace,
      name,
      ...place,
      file,
      verdict,
      notSelected: verdict === 'NotSelected' ? this.#whyNotSelected(candidate, namespace) : null,
      ...AS_IT_IS,
      violations: withMisspelt(
        ofModes.flatMap(({ mode, result }) => checkedViolations(result, mode, locate)),
        unknown,
        lineOf,
      ),
      findings: candidate ? checkedFindings(candidate.content.spec, locate) : [],
    };
  }

  /** The worst verdict on the pod over all modes, and the results of the modes that have this verdict. */
  #verdict(candidate: Candidate | undefined): { verdict: ItemVerdict; ofModes: readonly ModeVerdict[] } {
    const { context } = this.#options;
    if (!candidate) return { verdict: 'NotSelected', ofModes: [] };
    const all = context
      .deciding(candidate.namespace)
      .map(({ mode, policies }) => ({ mode, result: evaluate(candidate, policies, context.evaluation) }));
    const verdict = worst(all.map(({ result }) => result.verdict));
    return { verdict, ofModes: all.filter(({ result }) => result.verdict === verdict) };
  }

  #whyNotSelected(candidate: Candidate | undefined, namespace: string): NotSelectedReason {
    if (!candidate) return 'NoPods';
    return this.#options.context.isExcluded(namespace) ? 'ExcludedNamespace' : 'NoPolicy';
  }
}
