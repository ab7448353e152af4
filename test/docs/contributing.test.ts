/**
 * Tests the checklists of contributing.md. Each checklist describes how to add something, and must name exactly the
 * files to change.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { createProgram } from '../../cli/program.ts';
import { RULES } from '../../operator/rules/index.ts';
import { isRecord, NAMED_IN } from '../architecture/newest-version.ts';
import { ROOT } from '../support/page.ts';
import { writtenFiles, writtenPart } from '../support/written-files.ts';

const PAGE = 'docs/contributing.md';
const PARTS = readFileSync(join(ROOT, PAGE), 'utf8').split(/^##+ /m);
/** The rule that the page uses as its example. */
const RULE = 'readOnlyRootFilesystem';
const LINK = /\]\((\.\.\/)?([\w./-]+)\)/g;
const PATH = /`((?:analysis|cli|engine|hack|operator|test|ui)\/[\w./-]+)`/g;

const EVENT_TYPES = ['Normal', 'Warning'];

const texts = new Map(
  writtenFiles().flatMap((file) =>
    existsSync(join(ROOT, file)) ? [[file, writtenPart(file, readFileSync(join(ROOT, file), 'utf8'))] as const] : [],
  ),
);

function checklist(title: string): string[] {
  const part = PARTS.find((one) => one.startsWith(`${title}\n`)) ?? '';
  const steps = part.split(/^(?=\d+\. )/m).slice(1);
  assert.ok(steps.length > 2, title);
  // A paragraph after the last step does not belong to the last step.
  return steps.map((step) => step.split('\n\n')[0] ?? '');
}

/** The paths of the linked files, relative to the project's folder. */
function filesIn(steps: readonly string[]): string[] {
  const all = steps.flatMap((step) =>
    [...step.matchAll(LINK)].map(([, above, path = '']) => (above ? path : join('docs', path))),
  );
  return [...new Set(all)].sort();
}

function filesNaming(all: readonly RegExp[]): string[] {
  return [...texts]
    .filter(([file]) => file !== PAGE && join(ROOT, file) !== import.meta.filename)
    .filter(([, text]) => all.every((one) => one.test(text)))
    .map(([file]) => file)
    .sort();
}

const word = (name: string) => new RegExp(`\\b${name}\\b`);
const named = (file: string) => texts.get(file) ?? '';

describe('the checklists of contributing.md', () => {
  const titles = ['Add a rule', 'Add a condition', 'Add a command', 'Add a Kubernetes version'];

  for (const title of titles) {
    it(`${title}: names files and folders that exist`, () => {
      const steps = checklist(title);
      const paths = [...steps.join('\n').matchAll(PATH)].map(([, path = '']) => path);
      const missing = [...filesIn(steps), ...paths].filter((path) => !existsSync(join(ROOT, path)));
      assert.deepEqual(missing, []);
    });
  }

  it('the checklist for a rule names each file with the names of all rules, and only files that name the example rule', () => {
    const files = filesIn(checklist('Add a rule'));
    const fields = RULES.map(({ id }) => word(id.split('.').at(-1) ?? id));
    const tables = filesNaming(fields);
    assert.ok(tables.length > 1, String(tables));
    assert.deepEqual(
      tables.filter((file) => !files.includes(file)),
      [],
      'not in the checklist',
    );
    assert.deepEqual(
      files.filter((file) => !word(RULE).test(named(file))),
      [],
      'in the checklist, but without the rule',
    );
  });

  describe('Add a condition', () => {
    const steps = checklist('Add a condition');
    const reports = [...texts].filter(([file]) => file.startsWith('operator/report/'));
    const typesIn = (text: string) =>
      [...text.matchAll(/\btype(?::| =) '([A-Z]\w+)'/g)]
        .map(([, type = '']) => type)
        .filter((type) => !EVENT_TYPES.includes(type));
    const types = [...new Set(reports.flatMap(([, text]) => typesIn(text)))].sort();

    it('knows the conditions of the code', () => {
      assert.ok(types.includes('Ready') && types.includes('UseLimitExceeded') && types.length > 8, String(types));
    });

    for (const file of filesIn(steps.slice(2, 5))) {
      it(`${file} names every condition`, () => {
        assert.deepEqual(
          types.filter((type) => !word(type).test(named(file))),
          [],
        );
      });
    }

    it('the checklist names exactly the files with the names of all conditions about a problem', () => {
      const problems = ['LabelConflict', 'LabelRefused', 'UseLimitExceeded'];
      assert.deepEqual(
        filesIn(steps).filter((file) => file !== 'operator/report/conditions.ts'),
        filesNaming(problems.map(word)),
      );
    });

    it('conditions.ts imports each file with a condition', () => {
      const own = reports.filter(([, text]) => /\): BareCondition/.test(text)).map(([file]) => file);
      assert.ok(own.length > 4, String(own));
      const conditions = 'operator/report/conditions.ts';
      assert.deepEqual(
        own.filter((file) => file !== conditions && !named(conditions).includes(file.replace('operator/report', '.'))),
        [],
      );
    });
  });

  it('the checklist for a command names exactly the files with the names of all commands', () => {
    const nowhere = () => new Writable({ write: (_chunk, _encoding, done) => done() });
    const { signal } = new AbortController();
    const io = { stdin: Readable.from([]), stdout: nowhere(), stderr: nowhere(), env: {}, cwd: '.', signal };
    const commands = createProgram(io, () => {}).commands.map((command) => command.name());
    assert.ok(commands.length > 10);
    const inCode = (name: string) => new RegExp(`'${name}'|commands/${name}/`);
    assert.deepEqual(filesIn(checklist('Add a command')), filesNaming(commands.map(inCode)));
    assert.deepEqual(
      commands.filter((name) => !existsSync(join(ROOT, 'cli', 'commands', name, 'command.ts'))),
      [],
    );
  });

  it('the checklist for a Kubernetes version names exactly the files that must name the newest version, apart from records', () => {
    const files = filesIn(checklist('Add a Kubernetes version'));
    assert.deepEqual(
      files.filter((file) => !isRecord(file)),
      [...NAMED_IN].sort(),
    );
  });
});

describe('the commands of contributing.md', () => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  const text = PARTS.join('');
  const commands = [...text.matchAll(/`npm (?:run )?([\w:]+) -- ([^`]*)`/g)].map(([, name = '', args = '']) => ({
    name,
    args,
  }));

  for (const { name, args } of commands.filter((one) => one.args.includes('--'))) {
    it(`npm run ${name} has the flags in ${args}`, () => {
      const [script = ''] = /[\w/]+\.ts\b/.exec(scripts[name] ?? '') ?? [];
      const flags = args.match(/--[\w-]+/g) ?? [];
      const besides = `${dirname(script)}/options.ts`;
      const source = [script, besides, 'operator/flags.ts'].map(named).join('');
      assert.deepEqual(
        flags.filter((flag) => !source.includes(flag) && !new RegExp(`^ +'?${flag.slice(2)}'?: \\{`, 'm').test(source)),
        [],
      );
    });
  }

  it('read each variable that the page sets', () => {
    const variables = new Set([...text.matchAll(/`([A-Z][A-Z_]+)=/g)].map(([, name = '']) => name));
    assert.ok(variables.size > 3);
    const unread = [...variables].filter(
      (name) => ![...texts].some(([file, code]) => file.endsWith('.ts') && code.includes(name)),
    );
    assert.deepEqual(unread, []);
  });
});
