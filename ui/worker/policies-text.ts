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

export function policiesIn(
  { text, file, serverVersion, at }: PoliciesText,
  tell: (trouble: Trouble) => void,
): PolicyContext {
  const builder = new PolicyContextBuilder();
  for (const manifest of manifestsIn(text, file, tell)) builder.addManifest(manifest, tell);
  const options = {
    operatorNamespace: OPERATOR_NAMESPACE,
    excludedNamespaces: EXCLUDED_NAMESPACES,
    namespaceLabels: {},
    oldestServer: serverVersion,
    at,
  };
  return builder.build(options, tell);
}
