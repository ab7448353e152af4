/**
 * Evaluates the manifests of the playground with the code of `cappol check -f`. The playground and the command
 * therefore give the same result (see test/ui/check-answer.test.ts).
 */
import { checkedPolicies } from '../../analysis/check/checked.ts';
import { evaluateManifest, type ResultListener } from '../../analysis/check/evaluated-piece.ts';
import { ManifestEvaluator } from '../../analysis/check/manifest-evaluator.ts';
import type { CheckedItem, CheckedPolicy, NotEvaluated } from '../../analysis/check/result.ts';
import { type FilePiece, type InputObject, manifestsOfPiece } from '../../analysis/manifests/document-objects.ts';
import type { TextRange } from '../../analysis/manifests/field-positions.ts';
import { documentsIn } from '../../analysis/manifests/split.ts';
import type { Trouble } from '../../analysis/manifests/trouble.ts';
import type { PolicyContext } from '../../analysis/policies/context.ts';
import { PolicyContextBuilder } from '../../analysis/policies/context-builder.ts';
import { fieldPath } from '../../analysis/schema/paths.ts';
import { EXCLUDED_NAMESPACES, OPERATOR_NAMESPACE } from '../../operator/model/namespaces.ts';

/**
 * The names of the playground's texts. Messages show these names instead of file names. The text `before` contains
 * the policies before a change.
 */
export type CheckedText = 'policies' | 'manifests' | 'before';

export interface CheckQuestion {
  readonly policies: string;
  readonly manifests: string;
  /** The namespace of manifests that state no namespace. */
  readonly namespace: string;
  /** The labels of all namespaces that the manifests do not contain. */
  readonly namespaceLabels: Readonly<Record<string, string>>;
  /** The minor version N of Kubernetes 1.N of the oldest API server. */
  readonly serverVersion: number;
  /** The time of the evaluation, in ms since 1970. The time decides which policies have expired. */
  readonly at: number;
}

export interface CheckAnswer {
  readonly policies: readonly CheckedPolicy[];
  readonly items: readonly PlacedItem[];
  readonly troubles: readonly Trouble[];
  /** The number of objects that make no pods, such as policies and namespaces. */
  readonly skipped: number;
  readonly notEvaluated: readonly Pick<NotEvaluated, 'kind' | 'makesPods'>[];
}

/** An item of the answer, with the positions of its violations and findings in the text. */
export interface PlacedItem extends CheckedItem {
  readonly ranges: {
    /** The positions of the violations, in the same order as the list `violations`. */
    readonly violations: readonly TextRange[];
    readonly findings: readonly TextRange[];
  };
}

export function check(question: CheckQuestion): CheckAnswer {
  const troubles: Trouble[] = [];
  const tell = (trouble: Trouble) => {
    troubles.push(trouble);
  };
  const read = readInOrder(question.manifests);
  const manifests = read.flatMap((one) => ('object' in one ? [one] : []));
  const context = contextOf(question, manifests, tell);
  const evaluator = new ManifestEvaluator({ context, namespace: question.namespace });
  const items: PlacedItem[] = [];
  const notEvaluated: Pick<NotEvaluated, 'kind' | 'makesPods'>[] = [];
  let skipped = 0;
  for (const one of read) {
    if (!('object' in one)) {
      tell(one);
      continue;
    }
    const listener: ResultListener = {
      item: (item) => items.push(placed(item, one)),
      skipped: () => {
        skipped += 1;
      },
      notEvaluated: (object) => notEvaluated.push(object),
      notKubernetes: () => {},
      trouble: tell,
    };
    evaluateManifest(one, evaluator, listener);
  }
  if (read.length === 0) tell({ file: 'manifests', message: 'no Kubernetes object in it' });
  return { policies: checkedPolicies(context), items, troubles, skipped, notEvaluated };
}

/** The manifests and the problems of the text, in the order of the text. */
function readInOrder(text: string): readonly (InputObject | Trouble)[] {
  const read: (InputObject | Trouble)[] = [];
  const tell = (trouble: Trouble) => {
    read.push(trouble);
  };
  for (const manifest of manifestsIn(text, 'manifests', tell)) read.push(manifest);
  return read;
}

/** Reads the policies in the text `policies` first. Then reads the policies among the manifests. */
function contextOf(
  { policies, namespace, namespaceLabels, serverVersion, at }: CheckQuestion,
  manifests: readonly InputObject[],
  tell: (trouble: Trouble) => void,
): PolicyContext {
  const builder = new PolicyContextBuilder(namespace);
  for (const manifest of manifestsIn(policies, 'policies', tell)) builder.addManifest(manifest, tell);
  for (const manifest of manifests) builder.addManifest(manifest, tell);
  const options = {
    operatorNamespace: OPERATOR_NAMESPACE,
    excludedNamespaces: EXCLUDED_NAMESPACES,
    oldestServer: serverVersion,
    namespaceLabels,
    at,
  };
  return builder.build(options, tell);
}

export function* manifestsIn(
  text: string,
  file: CheckedText,
  tell: (trouble: Trouble) => void,
): Generator<InputObject> {
  for (const piece of documentsIn([text])) {
    yield* manifestsOfPiece({ ...piece, file } satisfies FilePiece, { tell, skip: () => {} });
  }
}

function placed(item: CheckedItem, { rangeOf }: InputObject): PlacedItem {
  const rangesOf = (parts: readonly { readonly path: string }[]) => parts.map(({ path }) => rangeOf(fieldPath(path)));
  return { ...item, ranges: { violations: rangesOf(item.violations), findings: rangesOf(item.findings) } };
}
