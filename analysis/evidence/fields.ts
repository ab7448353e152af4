/** Fields that several tools write in the same way: capabilities, times. */
import { isText } from '../../operator/model/raw.ts';
import { bareName, isKnown } from '../capabilities/held-by-runtime.ts';

/** Thrown for a value that is no record of its format. */
export class RecordError extends Error {}

/** `CAP_NET_RAW`, `NET_RAW` → `NET_RAW` */
export function capabilityIn(value: unknown): string {
  const name = isText(value) ? bareName(value) : '';
  if (isKnown(name)) return name;
  throw new RecordError(`unknown capability ${JSON.stringify(value)}`);
}

/** Go's `time.Time.String()`: `2026-11-01 10:00:00.123456789 +0000 UTC m=+1.5`. */
const GO_TIME = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?) ([+-]\d\d)(\d\d)\b/;
/** Tools write the first second of the year 1 if they have no time. */
const NO_TIME = '0001-';

/**
 * RFC 3339, Go's form, or nanoseconds since 1970.
 *
 * @returns in the form of `Date.toISOString()`; undefined for no time
 */
export function timeIn(value: unknown): string | undefined {
  if (value === undefined || value === null || value === '' || value === 0) return undefined;
  if (isText(value) && value.startsWith(NO_TIME)) return undefined;
  const [, day, clock, hours, minutes] = (isText(value) && GO_TIME.exec(value)) || [];
  const time = day ? Date.parse(`${day}T${clock}${hours}:${minutes}`) : millisecondsIn(value);
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) throw new RecordError(`no time: ${JSON.stringify(value)}`);
  return date.toISOString();
}

function millisecondsIn(value: unknown): number {
  if (typeof value === 'number') return value / 1e6;
  return isText(value) ? Date.parse(value) : Number.NaN;
}

/** The earlier and the later of two times. Either time may be absent. */
export function hull(a: string | undefined, b: string | undefined): [from: string | undefined, to: string | undefined] {
  const [from, to] = [a, b].filter((time) => time !== undefined).sort();
  return [from, to ?? from];
}
