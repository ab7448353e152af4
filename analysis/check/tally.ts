/** Counts the results of a check. Each item is added by itself. */
import { SkippedDocuments } from '../manifests/other-documents.ts';
import { NotEvaluatedObjects } from './not-evaluated.ts';
import type { CheckedItem, ItemVerdict, NotEvaluated, Summary } from './result.ts';

export class Tally {
  readonly #counts = { items: 0, violations: 0, findings: 0, skipped: 0, excluded: 0, warnings: 0 };
  readonly #verdicts: Record<ItemVerdict, number> = { Compliant: 0, Violating: 0, Unknown: 0, NotSelected: 0 };
  readonly #notEvaluated = new NotEvaluatedObjects();
  readonly #excluded = new Set<string>();
  readonly #skipped = new SkippedDocuments();

  item({ namespace, verdict, notSelected, violations, findings }: CheckedItem): void {
    this.#counts.items += 1;
    this.#verdicts[verdict] += 1;
    if (notSelected === 'ExcludedNamespace') {
      this.#counts.excluded += 1;
      this.#excluded.add(namespace);
    }
    this.#counts.violations += violations.length;
    this.#counts.findings += findings.length;
  }

  skip(): void {
    this.#counts.skipped += 1;
  }

  notEvaluated(object: Pick<NotEvaluated, 'kind' | 'makesPods'>): void {
    this.#notEvaluated.add(object);
  }

  notKubernetes(what: string): void {
    this.#skipped.skip(what);
  }

  warning(): void {
    this.#counts.warnings += 1;
  }

  get items(): number {
    return this.#counts.items;
  }

  summary(errors: number): Summary {
    const { items, excluded, skipped, warnings, ...counts } = this.#counts;
    const { Compliant: compliant, Violating: violating, Unknown: unknown, NotSelected: notSelected } = this.#verdicts;
    const notEvaluated = this.#notEvaluated.all;
    const notKubernetes = this.#skipped.all;
    const verdicts = { compliant, violating, unknown, notSelected, excluded };
    const excludedNamespaces = [...this.#excluded].sort();
    return {
      items,
      ...verdicts,
      excludedNamespaces,
      ...counts,
      skipped,
      notEvaluated,
      notKubernetes,
      warnings,
      errors,
    };
  }
}
