/** Finds the places where files name the newest Kubernetes version that this release supports. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';
import { ROOT } from '../support/page.ts';
import { writtenFiles, writtenPart } from '../support/written-files.ts';

/**
 * The files that have to name the newest version. All other files read the newest version from the first file in this
 * list, or from the Go modules of the built programs.
 */
export const NAMED_IN: readonly string[] = [
  'operator/standards/level-version.ts',
  'hack/controlplane/go.mod',
  'hack/node/kubelet/go.mod',
];

/**
 * Files and folders that may name the newest version. Statements about the newest version in these files stay true when
 * a newer version is added.
 */
export const RECORDS: Readonly<Record<string, string>> = {
  'operator/rules/': 'the version at which a value changed',
  'test/rules/': 'the version at which a value changed',
  'test/differential/reference/': 'the version at which a value changed',
  'operator/standards/server-features.ts': 'the version that brought a feature',
  'docs/CHANGELOG.md': 'what each release brought',
  'docs/decisions/': 'what was decided, and what was seen then',
  'docs/operations.md': 'runs of the differential tests',
  'docs/performance.md': 'measurements',
  'docs/security-model.md': 'the fields that a version added, and what was tried on it',
  'docs/static-protection.md': 'the version that brought the feature, and what was tried on it',
};

/** Files that tools write. Helm and other programs require the versions in these files. */
const LOCKED = /(^|\/)(go\.sum|go\.mod|package-lock\.json)$/;
/** If a line has one of these words, the search reads a number on this line as a version. */
const ABOUT_VERSIONS = /\bversions?\b|minor|server|standard|level|newest|kubernetes/i;

export interface Mention {
  /** The path relative to the project's folder. */
  readonly file: string;
  /** The number of the line, from 1. */
  readonly line: number;
  readonly text: string;
}

/** The mentions of a version in the files that are not generated. */
export function mentions(minor = NEWEST_KNOWN_MINOR): Mention[] {
  return writtenFiles()
    .filter((file) => !LOCKED.test(file) || NAMED_IN.includes(file))
    .flatMap((file) => mentionsIn(file, readFileSync(join(ROOT, file), 'utf8'), minor));
}

/** @param minor the minor version, which is N for 1.N */
export function mentionsIn(file: string, text: string, minor: number): Mention[] {
  const found = patternsFor(file, minor);
  return writtenPart(file, text)
    .split('\n')
    .flatMap((line, index) => (found(line) ? [{ file, line: index + 1, text: line.trim() }] : []));
}

export function isRecord(file: string): boolean {
  return Object.keys(RECORDS).some((path) => file === path || (path.endsWith('/') && file.startsWith(path)));
}

function patternsFor(file: string, minor: number): (line: string) => boolean {
  // Matches versions such as 1.30, v1.30 and v1.30.2. Measurements such as 11.30, 1.30× or 1.30 ms, and image tags, do
  // not match.
  const version = new RegExp(`(?<![\\d.:-])v?1\\.${minor}(?![\\d×]|\\.?\\d{3}| m?s\\b)|:v1\\.${minor}(?!\\d)`);
  const module = new RegExp(`(?<![\\w.])k8s\\.io/\\S* v?0\\.${minor}\\b`);
  const number = new RegExp(`(?<![\\w.])${minor}(?![\\w.])`);
  const isCode = /\.[cm]?[jt]sx?$/.test(file);
  if (file.endsWith('go.mod')) return (line) => module.test(line);
  return (line) =>
    version.test(line) || module.test(line) || (isCode && number.test(line) && ABOUT_VERSIONS.test(line));
}
