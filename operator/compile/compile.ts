/**
 * Compiles policies to Kubernetes objects. The API server enforces the policies by these objects. The same policies
 * always give the same bytes.
 */
import type { CompletePolicy } from '../api/capability-policy.ts';
import { idOf, Memo } from '../policy/memo.ts';
import type { ResolvedPolicy } from '../policy/resolve.ts';
import { runToEnd } from '../policy/run-to-end.ts';
import { type Accepted, type AcceptOptions, accept, textOf } from './accept.ts';
import type { Program } from './program.ts';
import { type ProgramOptions, Programs } from './programs.ts';
import { type Grant, narrowed, renderGrant } from './rbac.ts';
import { Resolver } from './resolver.ts';

export interface CompileOptions extends ProgramOptions, AcceptOptions {}

export interface Compiled extends Accepted {
  /** The admission programs that the cluster must have. */
  readonly programs: readonly Program[];
  /** For each policy, the objects that grant the right to use the policy. The key is the policy's name. */
  readonly grants: ReadonlyMap<string, Grant>;
}

/** The result of compiling no policy. */
export const NOTHING_COMPILED: Compiled = {
  policies: [],
  expired: [],
  refusals: new Map(),
  held: new Map(),
  specs: new Map(),
  uids: new Map(),
  programs: [],
  grants: new Map(),
};

export function compile(policies: readonly CompletePolicy[], options: CompileOptions): Compiled {
  return runToEnd(compiler()(policies, options));
}

type Compiler = (policies: readonly CompletePolicy[], options: CompileOptions) => Generator<void, Compiled>;

export interface CompilerOptions {
  /**
   * Whether to render objects. A caller that only evaluates pods does not need objects. Compiling spends most of its
   * time on rendering. For hundreds of policies, rendering also takes megabytes of memory.
   */
  readonly renders?: boolean;
}

/**
 * Makes a function for repeated compiling. If the input has not changed, this function returns the same object as in
 * its last run. Compiling hundreds of policies takes a second. The function therefore yields to other work after each
 * policy.
 */
export function compiler({ renders = true }: CompilerOptions = {}): Compiler {
  const resolver = new Resolver();
  const memo = new Memo<Grant>();
  const programs = new Programs();
  return function* (policies, options) {
    const accepted = yield* accept(policies, options, resolver.resolve);
    resolver.forgetUnused();
    if (!renders) return { ...NOTHING_COMPILED, ...accepted };
    const grants = grantsOf(accepted, options, memo);
    memo.forgetUnused();
    return { ...accepted, programs: programs.render(accepted.policies, options), grants };
  };
}

/**
 * Renders one grant for each policy, even if the policy has two parts. A policy that keeps an earlier spec, because its
 * users cannot be removed, gets a grant with fewer users than the earlier spec.
 */
function grantsOf(
  { policies, specs, held }: Accepted,
  { ownerUid = '', stages }: CompileOptions,
  memo: Memo<Grant>,
): Map<string, Grant> {
  const byName = new Map<string, ResolvedPolicy>(
    [...held.values(), ...policies].map((policy) => [policy.name, policy]),
  );
  const grantOf = (policy: ResolvedPolicy) => {
    const spec = specs.get(policy.name);
    const next = held.get(policy.name);
    const text = spec ? textOf(spec) : '';
    const stage = spec?.rollout && stages?.get(policy.name);
    const leftOut = stage && (stage.leftOut ?? []).join(' ');
    const key = `${idOf(policy)} ${next ? idOf(next) : ''} ${ownerUid} ${leftOut} ${text}`;
    return memo.get(key, () => {
      const grant = renderGrant(policy, text, ownerUid, leftOut);
      return next && next !== policy ? narrowed(grant, renderGrant(next, text, ownerUid)) : grant;
    });
  };
  return new Map([...byName].map(([name, policy]) => [name, grantOf(policy)]));
}
