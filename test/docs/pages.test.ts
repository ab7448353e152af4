/**
 * Tests the pages' statements about policies, tests, flags and reasons. The test links.test.ts checks the links of the
 * pages.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { validatePolicy } from '../../analysis/policies/validate.ts';
import { HELP, parseFlags } from '../../operator/flags.ts';
import { EXCLUDED_NAMESPACES } from '../../operator/model/namespaces.ts';
import type { RawObject } from '../../operator/model/raw.ts';
import * as reasons from '../../operator/report/reasons.ts';
import { documentation, policiesIn, ROOT, readPage } from '../support/page.ts';

/** Matches a link to a test file, and the test titles that follow the link. */
const CITED = /\]\(\.\.\/(test\/[^)#]+\.ts)\)(?::((?:(?:,|;| and)? \*[^\s*][^*]*\*)+))?/g;

interface Shown {
  readonly where: string;
  readonly policy: RawObject;
}

describe('the documentation', () => {
  const shown = documentation().flatMap(({ path, blocks }) =>
    blocks.flatMap((block) => policiesIn(block).map((policy): Shown => ({ where: `${path}:${block.line}`, policy }))),
  );

  for (const { where, policy } of shown) {
    it(`shows a policy that the API server accepts: ${policy.metadata?.name}, ${where}`, () => {
      assert.deepEqual(validatePolicy(policy).problems, []);
    });
  }

  it('shows policies', () => assert.ok(shown.length > 5, String(shown.length)));

  it('names only existing tests', () => {
    const cited = documentation().flatMap(({ path }) => citationsIn(path));
    assert.ok(cited.length > 30, String(cited.length));
    const missing = cited.filter(({ file, title }) => !existsSync(join(ROOT, file)) || !sourceOf(file).includes(title));
    assert.deepEqual(missing, []);
  });

  it('the documentation names only existing npm scripts and test files', () => {
    const { scripts } = JSON.parse(textOf('package.json')) as { scripts: Record<string, string> };
    const inline = documentation().flatMap(({ path }) =>
      [...textOf(path).matchAll(/`([^`]+)`/g)].map(([, code = '']) => ({ path, code })),
    );
    const named = inline.flatMap(({ path, code }) => [
      ...[...code.matchAll(/npm run (?:--silent )?([\w:-]+)/g)].map(([, name = '']) => ({
        path,
        name,
        is: name in scripts,
      })),
      ...[...code.matchAll(/mocha (test\/\S+\.ts)/g)].map(([, name = '']) => ({
        path,
        name,
        is: existsSync(join(ROOT, name)),
      })),
    ]);
    assert.ok(named.length > 10, String(named.length));
    assert.deepEqual(
      named.filter(({ is }) => !is),
      [],
    );
  });

  it('has every flag of the operator', () => {
    const rows = sectionOf('docs/operations.md', 'Flags').split('\n');
    const rowOf = (flag: string) => rows.find((row) => new RegExp(`^\\| \`${flag}[ \`]`).test(row));
    const names = [...HELP.matchAll(/^ {2}--.*$/gm)].flatMap(([line]) => line.match(/--[a-z-]+/g) ?? []);
    assert.ok(names.length > 10, String(names));
    assert.deepEqual(
      names.filter((flag) => rowOf(flag) === undefined),
      [],
    );
    for (const [flag, value] of Object.entries(defaults())) assert.ok(rowOf(flag)?.includes(`| ${value} |`), flag);
  });

  it('docs/contributing.md explains a rule with the real code of the rule', () => {
    const rule = textOf('operator/rules/read-only-root-filesystem.ts');
    const blocks = readPage('docs/contributing.md').blocks.filter(({ info }) => info[0] === 'ts');
    assert.ok(blocks.length > 5);
    assert.deepEqual(
      blocks.map(({ text }) => text).filter((text) => !rule.includes(text)),
      [],
    );
  });

  it('has every folder of the tests', () => {
    const rows = sectionOf('docs/contributing.md', 'Tests')
      .split('\n')
      .filter((line) => /^\| `/.test(line));
    const named = rows.flatMap((row) => (row.split('|')[1] ?? '').match(/(?<=`)[\w-]+(?=`)/g) ?? []);
    const folders = readdirSync(join(ROOT, 'test'), { withFileTypes: true }).filter((one) => one.isDirectory());
    const missing = folders.map(({ name }) => name).filter((name) => !named.includes(name));
    assert.deepEqual(missing, []);
  });

  it('the documentation has every reason of a condition or an Event', () => {
    const text = textOf('docs/concepts.md');
    const refusals = ['VersionTooNew', 'ServerTooOld', 'InvalidSpec', 'TooExpensive'];
    const missing = [...Object.values(reasons), ...refusals].filter((reason) => !text.includes(`\`${reason}\``));
    assert.deepEqual(missing, []);
  });
});

function citationsIn(path: string): { page: string; file: string; title: string }[] {
  const text = textOf(path).replaceAll(/\n(?![|\n])/g, ' ');
  return [...text.matchAll(CITED)].flatMap(([, file = '', titles = '']) => {
    const all = [...titles.matchAll(/\*([^\s*][^*]*)\*/g)].map(([, title = '']) => title.replaceAll(/\s+/g, ' '));
    return (all.length > 0 ? all : ['']).map((title) => ({ page: path, file, title }));
  });
}

/** Returns the source of a test file without line breaks, so that titles can be compared. */
function sourceOf(file: string): string {
  return textOf(file).replaceAll(/\s+/g, ' ');
}

const texts = new Map<string, string>();

function textOf(path: string): string {
  const text = texts.get(path) ?? readFileSync(join(ROOT, path), 'utf8');
  texts.set(path, text);
  return text;
}

function sectionOf(path: string, heading: string): string {
  const parts = textOf(path).split(/^## /m);
  return parts.find((part) => part.startsWith(`${heading}\n`)) ?? '';
}

function defaults(): Record<string, string> {
  const flags = parseFlags([]);
  const seconds = (ms: number) => `${ms / 1000}s`;
  return {
    '--excluded-namespaces': `\`${EXCLUDED_NAMESPACES.join(',')}\``,
    '--kube-api-qps': String(flags.qps),
    '--kube-api-burst': String(flags.burst),
    '--leader-elect-lease-duration': seconds(flags.leaseDurationMs),
    '--leader-elect-renew-deadline': seconds(flags.renewDeadlineMs),
    '--leader-elect-retry-period': seconds(flags.retryPeriodMs),
    '--log-level': flags.logLevel,
    '--log-format': flags.logFormat,
  };
}
