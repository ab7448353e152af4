/** Computes how far each policy is in force, from the observations of a pass. The functions are pure. */
import type { Compiled } from '../compile/compile.ts';
import { type Program, programsOf, rowOf } from '../compile/program.ts';
import type { ResolvedPolicy } from '../policy/resolve.ts';
import type { ProgramOutcome } from './outcome.ts';

/** The observations of a pass. */
export interface Progress {
  readonly compiled: Compiled;
  /** The number of answering API servers. */
  readonly answering: number;
  /**
   * The older admission policies that API servers may still enforce. The key is the name of a CapabilityPolicy. The
   * value is the name of an admission policy that contains this CapabilityPolicy.
   */
  readonly older: ReadonlyMap<string, string>;
  /**
   * If every API server enforces the row of the resolved policy, the result is the number of API servers. In all other
   * cases, the result is 0.
   */
  serversWith(id: string, program: Program): number;
  /**
   * Returns a program that no longer contains the policy's row, if some API server may still enforce the row.
   * Otherwise, the result is undefined.
   */
  leaving(policy: ResolvedPolicy): Program | undefined;
  /** The API server's refusal, if a program is not in force because of a refusal. */
  failure(program: Program): string | undefined;
  /** The reason why a program is not in force yet. */
  obstacle(program: Program): string | undefined;
  /** Whether the policy is completely in force without the program, because the program changes no pod. */
  isIdle(policy: ResolvedPolicy, program: Program): boolean;
  /** Whether the program is written, and somebody else refuses its probes. */
  isUnprovable(program: Program): boolean;
  /**
   * A message that one of the program's objects is being deleted. An object that is being deleted counts as missing.
   */
  deletion(program: Program): string | undefined;
  /** The API server's refusal to write the policy's role or binding, or to delete an older admission policy. */
  refused(policy: string): string | undefined;
  /** Whether the policy's live role and binding equal the rendered role and binding. */
  isGranted(policy: string): boolean;
}

/**
 * The outcomes. The key is the policy's name. If a policy has two parts, the result is the outcome of the part with
 * less progress.
 */
export function outcomesOf(progress: Progress): Map<string, ProgramOutcome> {
  const { policies, held } = progress.compiled;
  const parts = Map.groupBy(policies, ({ name }) => name);
  return new Map([
    ...[...parts].map(([name, policies]) => {
      const outcomes = policies.map((policy) => outcomeOf(policy, progress));
      const worst = ORDER.flatMap((state) => outcomes.find((outcome) => outcome.state === state) ?? [])[0];
      return [name, worst as ProgramOutcome] as const;
    }),
    ...[...held.values()].map((policy) => [policy.name, outcomeOfHeld(policy, progress)] as const),
  ]);
}

/** The outcome of a policy that keeps an earlier spec. The earlier spec may be in force, and the current spec is not. */
function outcomeOfHeld(policy: ResolvedPolicy, { compiled, answering, refused }: Progress): ProgramOutcome {
  const refusal = refused(policy.name);
  const waits = 'this version of the policy waits until its former users are removed';
  return {
    state: refusal === undefined ? 'Working' : 'Failed',
    row: rowOf(policy, compiled),
    servers: { inForce: 0, answering },
    message: refusal === undefined ? waits : `${waits}: ${refusal}`,
  };
}

const ORDER = ['Failed', 'Working', 'InForce'] as const;

/**
 * The outcome of one part. The state is InForce if every API server enforces the policy's newest row and no older row
 * of the policy.
 */
function outcomeOf(policy: ResolvedPolicy, progress: Progress): ProgramOutcome {
  const { compiled, answering } = progress;
  const programs = programsOf(policy, compiled).filter((program) => !progress.isIdle(policy, program));
  const row = rowOf(policy, compiled);
  const servers = programs.map((program) => progress.serversWith(policy.id, program));
  const missing = programs.filter((_, index) => servers[index] === 0);
  const refused = progress.refused(policy.name);
  const leaving = progress.leaving(policy);
  const [failure] = [
    ...[...missing, ...(leaving ? [leaving] : [])].flatMap((one) => failureOf(one, progress)),
    ...(refused === undefined ? [] : [refused]),
  ];
  if (failure !== undefined) return { state: 'Failed', row, servers: { inForce: 0, answering }, message: failure };
  const inForce = Math.min(...servers, answering);
  const awaited = missing[0] ?? leaving;
  const message = obstacleTo(policy, programs, awaited, progress);
  return {
    state: message === undefined ? 'InForce' : 'Working',
    row,
    servers: { inForce, answering },
    message: message ?? '',
    ...(awaited && progress.isUnprovable(awaited) && { isUnprovable: true }),
  };
}

function obstacleTo(
  { name }: ResolvedPolicy,
  programs: readonly Program[],
  awaited: Program | undefined,
  progress: Progress,
): string | undefined {
  if (programs.length === 0) return 'being written';
  if (awaited) return progress.obstacle(awaited) ?? 'being written';
  const [deletion] = programs.flatMap((program) => progress.deletion(program) ?? []);
  if (deletion !== undefined) return deletion;
  const older = progress.older.get(name);
  if (older !== undefined) return `the older ${older} is still in force, too`;
  return progress.isGranted(name) ? undefined : 'the change of users waits until the program is in force';
}

/**
 * The API server's message. A message about a guard contains the name of the guard's object. Authors of policies might
 * not know about guards.
 */
function failureOf(program: Program, progress: Progress): string[] {
  const message = progress.failure(program);
  if (message === undefined) return [];
  return [program.kind === 'Guard' ? `the guard ${program.name} was refused: ${message}` : message];
}
