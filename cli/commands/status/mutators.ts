/** Reads the webhooks and mutating policies of a cluster that may change pods, as far as the user's rights allow. */
import { podMutators } from '../../../analysis/policies/pod-mutators.ts';
import { readMutating } from '../../../operator/cluster/mutators.ts';
import type { Source } from '../../../operator/cluster/reading.ts';
import type { Mutator } from '../../../operator/policy/mutators.ts';
import type { Connected } from '../../cluster.ts';
import type { Io } from '../../command.ts';
import { READER_ROLES, resourcesOf } from '../../missing-rights.ts';

interface PodMutators {
  /** The webhooks and mutating policies that may change pods, as far as the user may list them. */
  readonly mutators: readonly Mutator[];
  /** The sentence about the rights that the user lacks. The field is absent if no right is missing. */
  readonly remark?: string;
}

export async function readPodMutators({ client }: Connected, { signal }: Pick<Io, 'signal'>): Promise<PodMutators> {
  const forbidden: Source[] = [];
  const mutators = podMutators(
    await readMutating(client, { signal, onForbidden: (source) => void forbidden.push(source) }),
  );
  if (forbidden.length === 0) return { mutators };
  const resources = resourcesOf(forbidden);
  return { mutators, remark: `you may not list ${resources}: what they change in pods is not known; ${READER_ROLES}` };
}
