/**
 * Determines which namespaces of a cluster a command reads. As in kubectl, a command reads the current namespace of the
 * context, the namespace of -n, or all namespaces with -A.
 */
import { type Io, UsageError } from './command.ts';

export interface ScopeOptions {
  readonly namespace?: string;
  readonly allNamespaces?: boolean;
}

export interface Scope {
  /** The only namespace to read. If the value is undefined, all namespaces are read. */
  readonly only: string | undefined;
  /** The namespaces as text for users, such as `namespace net` or `all namespaces`. */
  readonly text: string;
  /**
   * Says on standard error which namespace is read, if the user named no namespace by a flag. Callers call `tell` after
   * the API server has answered.
   */
  tell(io: Pick<Io, 'stderr'>): void;
}

/** The current context of the kubeconfig, and the context's namespace. */
interface Current {
  readonly context: string;
  readonly namespace: string;
}

/** @throws UsageError if the user gives both -n and -A */
export function scopeOf(
  { namespace, allNamespaces = false }: ScopeOptions,
  { context, namespace: current }: Current,
): Scope {
  checkScope({ allNamespaces, ...(namespace !== undefined && { namespace }) });
  if (allNamespaces) return { only: undefined, text: 'all namespaces', tell() {} };
  const only = namespace ?? current;
  const of = context === '' ? '' : ` of context ${context}`;
  return {
    only,
    text: `namespace ${only}`,
    tell({ stderr }) {
      if (namespace === undefined)
        stderr.write(`cappol: namespace ${only}, the current namespace${of}; -A reads all namespaces\n`);
    },
  };
}

/** @throws UsageError if the user gives both -n and -A */
export function checkScope({ namespace, allNamespaces }: ScopeOptions): void {
  if (allNamespaces && namespace !== undefined) throw new UsageError('write either -n or -A');
}
