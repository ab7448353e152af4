/**
 * The end and the reason of suggested exceptions. The end and the reason come from the options --expires, --for and
 * --reason.
 */
import { InvalidArgumentError } from 'commander';
import type { Terms } from '../../../analysis/suggest/specs.ts';
import { formatTime, parseTime } from '../../../operator/policy/expiry.ts';
import { UsageError } from '../../command.ts';
import { durationOf } from '../../options.ts';

export interface TermsOptions {
  /** The time at which suggested exceptions expire, in ms since 1970. */
  readonly expires?: number;
  /** The time for which suggested exceptions are valid, in ms. */
  readonly for?: number;
  readonly reason?: string;
}

/** The API's limit for the length of `spec.reason`, in characters. */
const LONGEST_REASON = 512;
const YEAR_10000 = Date.UTC(10_000, 0);
const DAY = /^\d{4}-\d\d-\d\d$/;

/** @throws UsageError if both --expires and --for are given, or if the end is not in the future */
export function termsOf({ expires, for: duration, reason }: TermsOptions, now: number): Terms {
  if (expires !== undefined && duration !== undefined) throw new UsageError('write either --expires or --for');
  if (expires !== undefined && expires <= now) {
    throw new UsageError(
      `--expires: ${formatTime(expires)} is in the past, so the exceptions would admit nothing: write a later time`,
    );
  }
  const end = duration === undefined ? expires : Math.floor((now + duration) / 1000) * 1000;
  if (end !== undefined && end >= YEAR_10000)
    throw new UsageError('--for: the exceptions would end after the year 9999: write a shorter duration');
  return { ...(end !== undefined && { expires: formatTime(end) }), ...(reason !== undefined && { reason }) };
}

/** Reads a day or a time. A day without a time means the beginning of that day in UTC. */
export function dayOrTime(text: string): number {
  const at = parseTime(DAY.test(text) ? `${text}T00:00:00Z` : text);
  if (at !== undefined) return at;
  throw new InvalidArgumentError(
    'write a day, such as 2027-01-31, or date and time in whole seconds with Z or an offset (RFC 3339), such as 2027-01-31T00:00:00Z.',
  );
}

export function durationAhead(text: string): number {
  const duration = durationOf(text);
  if (duration !== undefined && duration > 0) return duration;
  throw new InvalidArgumentError('write a duration of at least a second, such as 30d, 12h or 1d12h.');
}

export function reasonText(text: string): string {
  if (text.trim() !== '' && text.length <= LONGEST_REASON) return text;
  throw new InvalidArgumentError(`write a text of 1 to ${LONGEST_REASON} characters, such as TICKET-123.`);
}
