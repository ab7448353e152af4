/** Makes the table of the decision records in docs/README.md. */
import { prose, table } from './markdown.ts';

export interface Decision {
  /** The number of the record as four digits. */
  readonly number: string;
  readonly file: string;
  readonly title: string;
  readonly supersededBy?: string;
  /** The text that says which part of a superseded record is still valid, such as `except for the second part`. */
  readonly except?: string;
  readonly refinedBy: readonly string[];
}

const TITLE = /^# \d+[.:] (.+)$/m;
/**
 * Matches the status of a record. The status is the paragraph below the title. An example is `Accepted on 2026-11-25.
 * Superseded by [0046](0046-policies-are-rows.md).`
 */
const STATUS = /^Accepted on \d{4}-\d\d-\d\d\.[\s\S]*?(?=\n\n)/m;
const SUPERSEDED = /Superseded by \[(\d{4})\]\([^)]*\)(?:, ([^.]+))?\./;
const REFINED = /[Rr]efined by .*/;

/** Reads a decision record. @param text the text of the record */
export function decisionOf(file: string, text: string): Decision {
  const [title, status] = [TITLE.exec(text)?.[1], STATUS.exec(text)?.[0].replaceAll('\n', ' ')];
  if (title === undefined || status === undefined) throw new Error(`${file} has no title, or no date of acceptance`);
  const [, supersededBy, except] = SUPERSEDED.exec(status) ?? [];
  const refinedBy = Array.from(REFINED.exec(status)?.[0].matchAll(/\[(\d{4})\]/g) ?? [], ([, number = '']) => number);
  return {
    number: file.slice(0, 4),
    file,
    title,
    ...(supersededBy !== undefined && { supersededBy }),
    ...(except !== undefined && { except }),
    refinedBy,
  };
}

/**
 * The table of the decision records.
 *
 * @param decisions the records, sorted by number
 * @param folder the folder for the links
 */
export function decisionsTable(decisions: readonly Decision[], folder: string): string {
  const links = (numbers: readonly string[]) =>
    decisions
      .filter(({ number }) => numbers.includes(number))
      .map(({ number, file }) => `[${number}](${folder}/${file})`)
      .join(', ');
  const row = ({ number, title, supersededBy, except, refinedBy }: Decision) => [
    links([number]),
    prose(title),
    links(decisions.filter((other) => other.supersededBy === number).map((other) => other.number)),
    supersededBy === undefined ? '' : `${links([supersededBy])}${except === undefined ? '' : `, ${except}`}`,
    links(refinedBy),
  ];
  return table(['record', 'decision', 'supersedes', 'superseded by', 'refined by'], decisions.map(row));
}
