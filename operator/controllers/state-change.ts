/** A change in the cluster or in a controller, and the keys that become dirty because of the change. */
import type { Change } from '../model/objects.ts';
import type { Concerned } from '../policy/coverage.ts';

/** The cause of a change. */
export type Cause =
  | Change
  /** A leader's term begins or ends. Between two terms of this process, another process may have been the leader. */
  | { readonly of: 'term' }
  /** Policies were compiled again. */
  | { readonly of: 'accepted' }
  /** An Event waits to be written. */
  | { readonly of: 'events' }
  | Found;

/** This cause means that a controller has found an outcome. */
export interface Found {
  readonly of: 'found';
  /** The controller's name. */
  readonly by: string;
  /** The policies that the outcome concerns. */
  readonly policies?: Iterable<string>;
  /** The namespace that the outcome concerns. The outcome also concerns the policies that select this namespace. */
  readonly namespace?: string;
  /** The namespaces whose deciding policies have changed. */
  readonly namespaces?: Iterable<string>;
  /** Whether the policies now compile to other objects. */
  readonly recompiles?: boolean;
}

/** The names that a cause makes dirty. */
export interface StateChange extends Concerned {
  readonly cause: Cause;
  /** The policies whose conditions, counts or namespaces may have changed. */
  readonly policies: ReadonlySet<string>;
  /**
   * The namespaces that have changed. The set also has each namespace where other policies may decide now, or where
   * other users may use the deciding policies now.
   */
  readonly namespaces: ReadonlySet<string>;
  /**
   * Whether policies have to be compiled again. If the value is true, the state is stale until the call of `accept`.
   */
  readonly recompiles: boolean;
}

const NONE: ReadonlySet<string> = new Set();

/** A change that makes no policy and no namespace dirty. */
export function unchanged(cause: Cause): StateChange {
  return { cause, policies: NONE, namespaces: NONE, recompiles: false };
}
