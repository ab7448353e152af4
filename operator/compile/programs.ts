/** Renders the programs that enforce the policies in force. */
import { MODES } from '../policy/deciding.ts';
import { idOf, Memo, perObject } from '../policy/memo.ts';
import type { ResolvedPolicy } from '../policy/resolve.ts';
import { isInSecurityContext } from '../standards/pod-objects.ts';
import { offers } from '../standards/server-features.ts';
import { defaultingProgram } from './defaulting-program.ts';
import { fitIntoExpression } from './fit-into-expression.ts';
import { guardPrograms, guardRow } from './guard-program.ts';
import type { AdmissionOptions } from './match.ts';
import { modeProgram, unknownFieldsProgram } from './mode-program.ts';
import { alike, Partition, type Shard } from './partition.ts';
import { PROGRAM_KINDS, type Program, type ProgramKind } from './program.ts';
import { type ProgramText, programOf } from './program-text.ts';
import { rowText, textOfRow } from './table.ts';

export interface ProgramOptions extends AdmissionOptions {
  /**
   * The uid of the CustomResourceDefinition of policies. This CustomResourceDefinition owns the rendered objects. The
   * uid is empty if there is no cluster.
   */
  readonly ownerUid?: string;
  /**
   * The paths of pod fields that some API server has, but that this release does not know. The default is empty. If the
   * list is empty, no program has to warn about unknown fields.
   */
  readonly unknownPodFields?: readonly string[];
}

/**
 * The maximum number of characters that the rows of one program may have. An API server takes a second to compile
 * 700,000 characters. Each watcher receives the whole object. etcd accepts objects of up to 1.5 MiB. Without variables,
 * the whole program is one expression. API servers up to v1.33 compute the constants in the program again for each pod.
 */
export const MOST = { withVariables: 400_000, withoutVariables: 16_000 };

interface NamedText {
  /** The suffix of the program's name. */
  readonly suffix: string;
  readonly text: ProgramText;
}

interface Kind {
  /**
   * Selects the policies that a program of this kind contains. The argument `all` is the list of all policies in force.
   */
  policies(all: readonly ResolvedPolicy[], options: ProgramOptions): readonly ResolvedPolicy[];
  /** The programs of a shard. Most shards have a single program, with an empty `suffix`. */
  texts(shard: Shard, isFirst: boolean, options: AdmissionOptions): readonly NamedText[];
  readonly rowText: (policy: ResolvedPolicy) => string;
}

const enforcing = (all: readonly ResolvedPolicy[]) => all.filter(({ mode }) => mode === 'Enforce');

const KINDS: Readonly<Record<ProgramKind, Kind>> = {
  Guard: {
    policies: enforcing,
    texts: guardPrograms,
    rowText: perObject((policy) => textOfRow(policy, guardRow)),
  },
  Defaulting: {
    policies: (all) => (all.some(({ defaulting }) => defaulting) ? enforcing(all) : []),
    texts: (shard, _isFirst, options) => [{ suffix: '', text: defaultingProgram(shard, options) }],
    rowText,
  },
  ...(Object.fromEntries(
    MODES.map((mode): [ProgramKind, Kind] => [
      mode,
      {
        policies: (all) => all.filter((policy) => policy.mode === mode),
        texts: (shard, _isFirst, options) => [{ suffix: '', text: modeProgram(mode, shard, options) }],
        rowText,
      },
    ]),
  ) as Record<(typeof MODES)[number], Kind>),
  UnknownFields: {
    policies: (all, { unknownPodFields = [] }) =>
      unknownPodFields.every(isInSecurityContext) ? [] : all.filter(warnsOfUnknownFields),
    texts: (shard, _isFirst, options) => [{ suffix: '', text: unknownFieldsProgram(shard, options) }],
    rowText,
  },
};

/**
 * Whether the program for unknown fields contains the policy. Audit policies give users no warnings. On an API server
 * without variables, a program has no room for a warning about unknown fields. Old API servers have no fields that this
 * release does not know.
 */
function warnsOfUnknownFields({ mode, standard }: ResolvedPolicy): boolean {
  return mode !== 'Audit' && offers(standard.server, 'admissionVariables');
}

/** Renders programs. The class keeps the boundaries between shards, and the programs whose policies did not change. */
export class Programs {
  readonly #known = new Memo<readonly Program[]>();
  readonly #partitions = new Map<string, Partition>();

  /**
   * @param policies the policies in the order of their IDs
   * @returns the programs, beginning with the guard. The guard must exist before the policies that the guard protects
   */
  render(policies: readonly ResolvedPolicy[], options: ProgramOptions): Program[] {
    const hasVariables = policies.every(({ standard }) => offers(standard.server, 'admissionVariables'));
    const programs = PROGRAM_KINDS.flatMap((kind) => this.#ofKind(kind, policies, options, hasVariables));
    this.#known.forgetUnused();
    return programs;
  }

  #ofKind(
    kind: ProgramKind,
    all: readonly ResolvedPolicy[],
    options: ProgramOptions,
    hasVariables: boolean,
  ): Program[] {
    const { operatorNamespace, excludedNamespaces, ownerUid = '' } = options;
    const { policies, texts, rowText } = KINDS[kind];
    const some = policies(all, options);
    if (some.length === 0) return [];
    const apart = hasVariables || !isMode(kind) ? { shards: [], others: some } : alike(some);
    const lengthOf = (policy: ResolvedPolicy) => rowText(policy).length;
    const shared = this.#partition(kind, hasVariables).split(apart.others, lengthOf);
    const shards = [...(apart.others.length > 0 ? shared : []), ...apart.shards];
    return shards.flatMap((shard, i) => {
      const name = `capabilitypolicy.${kind.toLowerCase()}${shard.suffix}`;
      const key = JSON.stringify([
        [name, shard.from, shard.to, i === 0, hasVariables],
        shard.policies.map(idOf),
        [operatorNamespace, excludedNamespaces, ownerUid],
      ]);
      return this.#known.get(key, () => {
        const rows = new Map(shard.policies.map((policy) => [policy.id, rowText(policy)]));
        const uids = kind === 'Enforce' ? shard.policies.map(({ uid }) => uid).filter((uid) => uid !== '') : [];
        return texts(shard, i === 0, options).map(({ suffix, text }) =>
          programOf(text, { kind, name: `${name}${suffix}`, rows, uids, ownerUid, hasVariables }),
        );
      });
    });
  }

  #partition(kind: ProgramKind, hasVariables: boolean): Partition {
    const key = `${kind} ${hasVariables}`;
    const known =
      this.#partitions.get(key) ??
      (hasVariables
        ? new Partition(MOST.withVariables)
        : new Partition(MOST.withoutVariables, isMode(kind) ? fitIntoExpression : undefined));
    this.#partitions.set(key, known);
    return known;
  }
}

function isMode(kind: ProgramKind): boolean {
  return MODES.some((mode) => mode === kind);
}
