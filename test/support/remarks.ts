/**
 * Reads the remarks of `cappol compare -o github` and `-o sarif` in a common form, so that tests can compare the
 * remarks.
 */
import assert from 'node:assert/strict';
import { sarifRun } from './sarif.ts';

/**
 * A remark. The first string of a remark has the form `level place: title`. The second string is the text of the
 * remark.
 */
export type ReadRemark = readonly [line: string, text: string];

/** Formats the place of a remark. If the remark has no line number, `line` is undefined. */
export type PlaceText = (file: string, line: number | undefined) => string;

/**
 * The remarks in workflow commands. The result leaves out remarks that are about the whole answer.
 *
 * @param set the file to show for remarks without a file
 */
export function remarksInCommands(commands: string, placeText: PlaceText, set: string): ReadRemark[] {
  const lines = commands.split('\n').filter((line) => line !== '' && !line.startsWith('::notice title=cappol::'));
  return lines.map((line) => {
    const [, level = '', listed = '', text = ''] = /^::(\w+) (.*?)::(.*)$/.exec(line) ?? assert.fail(line);
    const properties = listed.split(',').map((property) => /^(\w+)=(.*)$/.exec(property)?.slice(1) as [string, string]);
    const { file, line: at, title } = Object.fromEntries(properties);
    const place = placeText(file === undefined ? set : decodeURIComponent(file), at === undefined ? at : Number(at));
    return [`${level} ${place}: ${title}`, text.replaceAll('%25', '%')];
  });
}

const TITLES: Readonly<Record<string, string>> = { NotDecided: 'not decided', InvalidManifest: 'cappol' };

export function remarksInLog(log: string, placeText: PlaceText): ReadRemark[] {
  return sarifRun(log).results.map(({ level, ruleId, locations, message, properties }) => {
    const { artifactLocation, region } = locations?.[0]?.physicalLocation ?? {};
    const place = placeText(decodeURIComponent(artifactLocation?.uri ?? ''), region?.startLine);
    const { direction } = properties ?? {};
    const title = TITLES[ruleId] ?? (direction ? `${direction} ${ruleId}` : ruleId.replaceAll('-', ' '));
    return [`${level === 'note' ? 'notice' : level} ${place}: ${title}`, message.text];
  });
}
