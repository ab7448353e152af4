/** Reads the YAML of policies with the code of `cappol`. */
import type { Trouble } from '../../analysis/manifests/trouble.ts';
import type { PolicyContext } from '../../analysis/policies/context.ts';
import { PolicyContextBuilder } from '../../analysis/policies/context-builder.ts';
import { EXCLUDED_NAMESPACES, OPERATOR_NAMESPACE } from '../../operator/model/namespaces.ts';
import { type CheckedText, manifestsIn } from './check.ts';

export interface PoliciesText {
  readonly text: string;
  /** The name that problems show in place of a file name. */
  readonly file: CheckedText;
  /** The minor version N of Kubernetes 1.N of the oldest API server. */
  readonly serverVersion: number;
  /** The time for which to evaluate, in ms since 1970. The time matters because policies can expire. */
  readonly at: number;
}

type Tell = (trouble: Trouble) => void;

export function policiesIn(text: PoliciesText, tell: Tell): PolicyContext {
  return contextOf(builderOf(text, tell), text, tell);
}

export function builderOf({ text, file }: Pick<PoliciesText, 'text' | 'file'>, tell: Tell): PolicyContextBuilder {
  const builder = new PolicyContextBuilder();
  for (const manifest of manifestsIn(text, file, tell)) builder.addManifest(manifest, tell);
  return builder;
}

export function contextOf(
  builder: PolicyContextBuilder,
  { serverVersion, at }: Pick<PoliciesText, 'serverVersion' | 'at'>,
  tell: Tell,
): PolicyContext {
  const options = {
    operatorNamespace: OPERATOR_NAMESPACE,
    excludedNamespaces: EXCLUDED_NAMESPACES,
    namespaceLabels: {},
    oldestServer: serverVersion,
    at,
  };
  return builder.build(options, tell);
}
