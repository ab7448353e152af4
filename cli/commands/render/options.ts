/** The options of render. */

export interface RenderOptions {
  readonly policy: readonly string[];
  readonly diff?: boolean;
  readonly static?: boolean;
  readonly directory?: string;
  readonly mountedAt: string;
  readonly operatorServiceAccount: readonly string[];
  readonly protectPolicies: readonly string[];
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly serverVersion: number;
  readonly operatorNamespace: string;
  readonly excludedNamespaces: readonly string[];
}
