/** Service accounts that state whether pods get a volume with their token. */
import type { RawObject } from '../../operator/model/raw.ts';

/** automountServiceAccountToken by `namespace/name`, or by `/name` for an object that states no namespace. */
export type Automounting = ReadonlyMap<string, boolean>;

/** Whether pods of a service account get its token if they do not state `automountServiceAccountToken`. */
export type Automounts = (namespace: string, serviceAccount: string) => boolean;

/** One entry if the service account states `automountServiceAccountToken`; otherwise none. */
export function automountingOf({ metadata, automountServiceAccountToken: mounts }: RawObject): [string, boolean][] {
  return typeof mounts === 'boolean' ? [[`${metadata?.namespace ?? ''}/${metadata?.name ?? ''}`, mounts]] : [];
}

/** @param namespace the namespace of objects that do not state one */
export function automountsBy(known: Automounting, namespace: string): Automounts {
  const own = (name: string) => known.get(`/${name}`);
  return (of, name) => (of === namespace ? own(name) : undefined) ?? known.get(`${of}/${name}`) ?? true;
}
