/** Service accounts that set whether pods get a volume with the account's token. */
import type { RawObject } from '../../operator/model/raw.ts';

/** The values of automountServiceAccountToken by `namespace/name`, or by `/name` for an object without a namespace. */
export type Automounting = ReadonlyMap<string, boolean>;

/** Whether pods of a service account get the account's token if the pods do not set `automountServiceAccountToken`. */
export type Automounts = (namespace: string, serviceAccount: string) => boolean;

/** The service account's value of `automountServiceAccountToken` as one entry; no entries if the value is absent. */
export function automountingOf({ metadata, automountServiceAccountToken: mounts }: RawObject): [string, boolean][] {
  return typeof mounts === 'boolean' ? [[`${metadata?.namespace ?? ''}/${metadata?.name ?? ''}`, mounts]] : [];
}

/** @param namespace the namespace for objects without `metadata.namespace` */
export function automountsBy(known: Automounting, namespace: string): Automounts {
  const own = (name: string) => known.get(`/${name}`);
  return (of, name) => (of === namespace ? own(name) : undefined) ?? known.get(`${of}/${name}`) ?? true;
}
