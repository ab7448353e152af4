/** Migrates the three lists of capabilities that PodSecurityPolicy and SecurityContextConstraints share. */
import { CAPABILITIES } from '../../operator/standards/capabilities.ts';
import { upperCase } from '../capabilities/runtimes.ts';
import { distinct, inexact, type MigratedField, type Statement, stated, statedOrUnset } from './migrated-field.ts';
import type { Remark } from './migration.ts';

export interface CapabilityLists {
  readonly allowedCapabilities?: readonly string[] | undefined;
  readonly defaultAddCapabilities?: readonly string[] | undefined;
  readonly requiredDropCapabilities?: readonly string[] | undefined;
}

/**
 * Migrates the three lists of capabilities. Names are compared as they are written. In the list of allowed
 * capabilities, the entry `*` matches every name.
 *
 * @param prefix the prefix of the field names: `spec.` or the empty string
 * @param filling whether missing values are filled in
 */
export function capabilityLists(lists: CapabilityLists, prefix: string, filling: boolean): MigratedField {
  const { allowedCapabilities, defaultAddCapabilities = [], requiredDropCapabilities = [] } = lists;
  const any = allowedCapabilities?.includes('*') ?? false;
  const allowed = sorted(any ? [] : (allowedCapabilities ?? []), `${prefix}allowedCapabilities`, refusedAdd);
  const added = sorted(defaultAddCapabilities, `${prefix}defaultAddCapabilities`, refusedAdd);
  const adds = added.names.filter((name) => name !== 'ALL');
  const words = added.names.length > adds.length ? ['ALL'] : [];
  const allowedAdd = any ? ['*'] : distinct([...allowed.names, ...words]);
  const granted = [...allowedAdd, ...adds];
  const dropped = drops(requiredDropCapabilities, `${prefix}requiredDropCapabilities`, granted);
  return {
    statements: [
      statedOrUnset('capabilities.allowedAdd', allowedAdd, `${prefix}allowedCapabilities`, allowedCapabilities),
      ...statedDrops(dropped.names, `${prefix}requiredDropCapabilities`, filling),
      ...(adds.length > 0 ? [stated('capabilities.defaultAdd', adds, `${prefix}defaultAddCapabilities`)] : []),
    ],
    remarks: [
      ...allowed.remarks,
      ...added.remarks,
      ...words.map((word) =>
        inexact(
          `${prefix}defaultAddCapabilities`,
          word,
          'containers may still add ALL themselves, but no longer get ALL by default, since nobody requested all capabilities for every container',
        ),
      ),
      ...dropped.remarks,
    ],
  };
}

function statedDrops(names: readonly string[], from: string, filling: boolean): Statement[] {
  if (names.length === 0) return [];
  // If the policy fills in nothing, a container that drops ALL satisfies every required drop.
  const byName = filling && !(names.length === 1 && names[0] === 'ALL');
  return [
    stated('capabilities.requiredDrop', names, from),
    ...(byName ? [stated('capabilities.dropByName', true, from)] : []),
  ];
}

interface Sorted {
  readonly names: readonly string[];
  readonly remarks: readonly Remark[];
}

function sorted(written: readonly string[], field: string, remark: (name: string) => string): Sorted {
  const names = distinct(written);
  return {
    names: names.filter(isName),
    remarks: names.filter((name) => !isName(name)).map((name) => inexact(field, name, remark(name))),
  };
}

function refusedAdd(name: string): string {
  const meant = meantBy(name);
  if (!meant) return 'left out: the name is not a Linux capability, and containers that add the name are refused';
  return `left out: containers that add the capability by this spelling are refused. Not every runtime grants a capability for this spelling: allow ${meant} if containers need this capability`;
}

function drops(written: readonly string[], field: string, granted: readonly string[]): Sorted {
  const each = distinct(written).map((name): { readonly name?: string; readonly remark?: Remark } => {
    if (isName(name)) return { name };
    const meant = meantBy(name);
    if (!meant || granted.includes(meant))
      return {
        remark: inexact(field, name, 'left out: no runtime has this capability, so the entry drops nothing'),
      };
    const text = `the policy requires ${meant} instead, since some runtimes read this spelling as ${meant}: containers that drop only this spelling are refused, unless ${meant} is filled in`;
    return { name: meant, remark: inexact(field, name, text) };
  });
  return {
    names: distinct(each.flatMap(({ name }) => name ?? [])),
    remarks: each.flatMap(({ remark }) => remark ?? []),
  };
}

function isName(name: string): boolean {
  return name === 'ALL' || CAPABILITIES.includes(name);
}

/** The capability whose name is similar to the misspelt name; undefined if no capability has a similar name. */
function meantBy(name: string): string | undefined {
  const meant = upperCase(name).replace(/^CAP_/, '');
  return isName(meant) ? meant : undefined;
}
