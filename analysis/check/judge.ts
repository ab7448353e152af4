/** A manifest → the verdicts on the pods that it makes, by the operator's own judge. */
import type { Mode } from '../../operator/api/capability-policy.ts';
import { type Candidate, type Judgement, judge } from '../../operator/evaluate/verdict.ts';
import { type InputObject, identityOf } from '../manifests/document-objects.ts';
import { automountsBy } from '../policies/automounting.ts';
import { type Candidature, type Candidatures, PodCandidates } from '../policies/candidates.ts';
import type { PolicyContext } from '../policies/context.ts';
import { pathText } from '../schema/paths.ts';
import { checkedFindings, checkedViolations, fieldIn, worst } from './checked.ts';
import { withMisspelt } from './misspelt.ts';
import type { CheckedItem, ItemVerdict, NotSelectedReason } from './result.ts';

interface JudgeOptions {
  readonly context: PolicyContext;
  /** The namespace of objects that state none. */
  readonly namespace: string;
}

interface ModeJudgement {
  readonly mode: Mode;
  readonly judgement: Judgement;
}

/** The result for one manifest; every part may be empty. */
export interface Judged extends Omit<Candidatures, 'candidatures'> {
  readonly items: readonly CheckedItem[];
}

export class ManifestJudge {
  readonly #options: JudgeOptions;
  readonly #candidates: PodCandidates;

  constructor(options: JudgeOptions) {
    this.#options = options;
    const { context, namespace } = options;
    this.#candidates = new PodCandidates(namespace, automountsBy(context.automounting, namespace));
  }

  judge(manifest: InputObject): Judged {
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
      violations: withMisspelt(
        ofModes.flatMap(({ mode, judgement }) => checkedViolations(judgement, mode, locate)),
        unknown,
        lineOf,
      ),
      findings: candidate ? checkedFindings(candidate.parts.spec, locate) : [],
    };
  }

  /** With the judgements of the modes that have the worst verdict. */
  #verdict(candidate: Candidate | undefined): { verdict: ItemVerdict; ofModes: readonly ModeJudgement[] } {
    const { context } = this.#options;
    if (!candidate) return { verdict: 'NotSelected', ofModes: [] };
    const all = context
      .deciding(candidate.namespace)
      .map(({ mode, policies }) => ({ mode, judgement: judge(candidate, policies, context.evaluation) }));
    const verdict = worst(all.map(({ judgement }) => judgement.verdict));
    return { verdict, ofModes: all.filter(({ judgement }) => judgement.verdict === verdict) };
  }

  #whyNotSelected(candidate: Candidate | undefined, namespace: string): NotSelectedReason {
    if (!candidate) return 'NoPods';
    return this.#options.context.isExcluded(namespace) ? 'ExcludedNamespace' : 'NoPolicy';
  }
}
