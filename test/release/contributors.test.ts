/** Tests the files that GitHub and editors offer to contributors. */
import assert from 'node:assert/strict';
import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { load } from 'js-yaml';

const ROOT = join(import.meta.dirname, '..', '..');
const TEMPLATES = '.github/ISSUE_TEMPLATE';
/**
 * The types of elements in issue forms:
 * https://docs.github.com/communities/using-templates-to-encourage-useful-issues-and-pull-requests/syntax-for-githubs-form-schema
 */
const ELEMENTS = ['markdown', 'input', 'textarea', 'dropdown', 'checkboxes'];

describe('the forms for issues', () => {
  for (const file of readdirSync(join(ROOT, TEMPLATES)).filter((name) => name !== 'config.yml')) {
    it(`${file} has what GitHub requires`, () => {
      const { name, description, body } = load(read(`${TEMPLATES}/${file}`)) as Form;
      assert.ok(name && description);
      assert.ok(
        body.every(({ type, attributes }) => ELEMENTS.includes(type) && (attributes.label || attributes.value)),
      );
      assert.equal(new Set(body.map(({ id, type }) => id ?? type)).size, body.length);
      assert.ok(body.some(({ validations }) => validations?.required));
    });
  }
});

describe('the owners of the code', () => {
  it('own paths that exist', () => {
    const rows = read('.github/CODEOWNERS')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => line.split(/\s+/));
    assert.equal(rows[0]?.[0], '*');
    for (const [pattern = '', ...owners] of rows) {
      assert.ok(pattern === '*' || existsSync(join(ROOT, pattern)), pattern);
      assert.ok(owners.length > 0 && owners.every((owner) => /^@[\w-]+\/[\w-]+$/.test(owner)), pattern);
    }
  });
});

describe('the checks of a pull request', () => {
  it('name scripts and files that exist', () => {
    const { scripts } = JSON.parse(read('package.json'));
    const text = read('.github/PULL_REQUEST_TEMPLATE.md');
    const commands = [...text.matchAll(/npm run ([\w:]+)/g)].map(([, script = '']) => script);
    assert.deepEqual(
      commands.filter((script) => !(script in scripts)),
      [],
    );
    const paths = [...text.matchAll(/\bdocs\/[\w./]*\w/g)].map(([path]) => path);
    assert.ok(paths.length > 0);
    assert.deepEqual(
      paths.filter((path) => !existsSync(join(ROOT, path))),
      [],
    );
  });
});

describe('the development container', () => {
  const { image, features, postCreateCommand } = JSON.parse(read('.devcontainer/devcontainer.json'));

  it('the image of the development container has a tag with the Node version of the project', () => {
    const { devDependencies } = JSON.parse(read('package.json'));
    const [major] = devDependencies.node.replace('^', '').split('.');
    assert.match(image, new RegExp(`^mcr\\.microsoft\\.com/devcontainers/javascript-node:\\d+-${major}-\\w+$`));
  });

  it('the development container has a Go version that every Go module of the tests accepts', () => {
    const [go] = Object.entries(features).filter(([name]) => name.startsWith('ghcr.io/devcontainers/features/go:'));
    assert.ok(go);
    const { version } = go[1] as { version: string };
    for (const file of globSync('{hack,test}/**/go.mod', { cwd: ROOT })) {
      const [, major = 0, minor = 0] = /^go (\d+)\.(\d+)/m.exec(read(file)) ?? [];
      const [haveMajor = 0, haveMinor = 0] = version.split('.').map(Number);
      assert.ok(haveMajor > Number(major) || (haveMajor === Number(major) && haveMinor >= Number(minor)), file);
    }
  });

  it('starts with a script that exists', () => {
    const [program, script] = postCreateCommand.split(' ');
    assert.equal(program, 'node');
    assert.ok(existsSync(join(ROOT, script)));
  });
});

interface Form {
  readonly name?: string;
  readonly description?: string;
  readonly body: readonly {
    readonly type: string;
    readonly id?: string;
    readonly attributes: { readonly label?: string; readonly value?: string };
    readonly validations?: { readonly required?: boolean };
  }[];
}

function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}
