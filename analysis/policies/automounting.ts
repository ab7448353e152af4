/** Finds out whether pods of a service account get a volume with the account's token. */
import type { RawObject } from '../../operator/model/raw.ts';

/**
 * The values of automountServiceAccountToken. The key is `namespace/name`, or `/name` for an object without a
 * namespace.
 */
export type Automounting = ReadonlyMap<string, boolean>;

/** Whether pods of a service account get the account's token if the pods do not set `automountServiceAccountToken`. */
export type Automounts = (namespace: string, serviceAccount: string) => boolean;

/**
 * The service account's value of `automountServiceAccountToken`, as a list with one entry. The list is empty if the
 * value is absent.
 */
export function automountingOf({ metadata, automountServiceAccountToken: mounts }: RawObject): [string, boolean][] {
  return typeof mounts === 'boolean' ? [[`${metadata?.namespace ?? ''}/${metadata?.name ?? ''}`, mounts]] : [];
}

/** @param namespace the namespace of objects that have no `metadata.namespace` */
export function automountsBy(known: Automounting, namespace: string): Automounts {
  const own = (name: string) => known.get(`/${name}`);
  return (of, name) => (of === namespace ? own(name) : undefined) ?? known.get(`${of}/${name}`) ?? true;
}
