/** One pod on both servers. */
import { isDeepStrictEqual } from 'node:util';
import { type Answer, type Creation, createPod } from './creation.ts';
import type { CurrentCluster, Migrated } from './current-cluster.ts';
import { APP_ARMOR_OF_CONTAINER } from './objects.ts';
import type { OldCluster } from './old-cluster.ts';
import { securityOf } from './security.ts';

export interface Servers {
  readonly old: OldCluster;
  readonly current: CurrentCluster;
}

export interface Judgement {
  /**
   * PodSecurityPolicy's verdict; Today's API server decides whether it is `invalid`. Spoiled: a pod for Windows that
   * PodSecurityPolicy filled with fields that such pods must not have, so that 1.24 answered 422, or with an AppArmor
   * annotation, which means nothing for them. Nobody wants that behaviour back.
   */
  readonly status: 'admitted' | 'refused' | 'invalid' | 'spoiled';
  readonly old: Answer;
  readonly current: Answer;
  /** Without policies, today. */
  readonly defaulted: Answer;
  readonly difference: string | undefined;
}

export async function judge({ old, current }: Servers, migrated: Migrated, creation: Creation): Promise<Judgement> {
  const [was, is, defaulted] = await Promise.all([
    createPod(old.api, creation),
    current.create(creation),
    current.defaulted(creation),
  ]);
  const answers = { old: was, current: is, defaulted };
  if (defaulted.status === 422) return { status: 'invalid', ...answers, difference: undefined };
  if (isForWindows(creation) && (was.status === 422 || isGivenAppArmor(creation, was)))
    return { status: 'spoiled', ...answers, difference: undefined };
  const difference = isGone(migrated) ? existenceOf(was) : differenceOf(was, is);
  return { status: was.status === 200 ? 'admitted' : 'refused', ...answers, difference };
}

/** Whether the migration notes that no policy of the set can ever admit a pod. */
export function isGone({ migration }: Migrated): boolean {
  return migration?.policies.length === 0;
}

function existenceOf(was: Answer): string | undefined {
  return was.status === 200 ? 'migration says that none of the policies could admit a pod, and one does' : undefined;
}

function differenceOf(was: Answer, is: Answer): string | undefined {
  if ((was.status === 200) !== (is.status === 200)) return 'one admits it, the other does not';
  if (was.status !== 200 || isDeepStrictEqual(securityOf(was.pod), securityOf(is.pod))) return undefined;
  return 'they make different pods of it';
}

function isGivenAppArmor({ pod }: Creation, { status, pod: made }: Answer): boolean {
  const annotations = status === 200 ? Object.keys(made.metadata.annotations ?? {}) : [];
  return annotations.some((key) => key.startsWith(APP_ARMOR_OF_CONTAINER) && !(key in pod.metadata.annotations));
}

function isForWindows({ pod }: Creation): boolean {
  return (pod.spec.os as { name?: string } | undefined)?.name === 'windows';
}

/** Both answers, as text. */
export function described({ old, current, difference }: Judgement): string[] {
  const words = ({ status, text, pod }: Answer) =>
    status === 200 ? `admits it as ${JSON.stringify(securityOf(pod))}` : `${status} ${text}`;
  return [`${difference}:`, `1.24 ${words(old)}`, `today ${words(current)}`];
}
