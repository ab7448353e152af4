/** Reads fields that several tools write in the same way: capabilities and times. */
import { isText } from '../../operator/model/raw.ts';
import { bareName, isKnown } from '../capabilities/held-by-runtime.ts';

/** Thrown for a value that does not follow the format of a tool's records. */
export class RecordError extends Error {}

/** The name of a capability, without CAP_. For example, `CAP_NET_RAW` becomes `NET_RAW`. */
export function capabilityIn(value: unknown): string {
  const name = isText(value) ? bareName(value) : '';
  if (isKnown(name)) return name;
  throw new RecordError(`unknown capability ${JSON.stringify(value)}`);
}

/** Matches the output of Go's `time.Time.String()`, such as `2026-11-01 10:00:00.123456789 +0000 UTC m=+1.5`. */
const GO_TIME = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?) ([+-]\d\d)(\d\d)\b/;
/** The beginning of the first second of the year 1. Tools that know no time write the beginning of the year 1. */
const NO_TIME = '0001-';

/**
 * Reads a time in RFC 3339, in Go's form, or in nanoseconds since 1970.
 *
 * @returns the time in the form of `Date.toISOString()`, or undefined if the tool had no time
 */
export function timeIn(value: unknown): string | undefined {
  if (value === undefined || value === null || value === '' || value === 0) return undefined;
  if (isText(value) && value.startsWith(NO_TIME)) return undefined;
  const [, day, clock, hours, minutes] = (isText(value) && GO_TIME.exec(value)) || [];
  const time = day ? Date.parse(`${day}T${clock}${hours}:${minutes}`) : millisecondsIn(value);
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) throw new RecordError(`not a time: ${JSON.stringify(value)}`);
  return date.toISOString();
}

function millisecondsIn(value: unknown): number {
  if (typeof value === 'number') return value / 1e6;
  return isText(value) ? Date.parse(value) : Number.NaN;
}

/** The earlier time of `a` and the later time of `b`. Either time may be absent. */
export function hull(a: string | undefined, b: string | undefined): [from: string | undefined, to: string | undefined] {
  const [from, to] = [a, b].filter((time) => time !== undefined).sort();
  return [from, to ?? from];
}
