/** Reads the remarks of `cappol compare -o github` and `-o sarif` in one form, so that tests can compare them. */
import assert from 'node:assert/strict';
import { sarifRun } from './sarif.ts';

/** A remark. The line has the form `level place: title`, and the text follows. */
export type ReadRemark = readonly [line: string, text: string];

/** Formats the place of a remark. The line is undefined if the remark has no line. */
export type PlaceText = (file: string, line: number | undefined) => string;

/**
 * The remarks in workflow commands. Remarks about the answer as a whole are left out.
 *
 * @param set the file to show for a remark that has no file
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
