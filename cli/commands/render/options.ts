/** The options of render. */

export interface RenderOptions {
  readonly policy: readonly string[];
  readonly diff?: boolean;
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly serverVersion: number;
  readonly operatorNamespace: string;
  readonly excludedNamespaces: readonly string[];
}
