/** Tests completion and help in the playground. The character `|` in a text marks the cursor. */
import assert from 'node:assert/strict';
import { meaningAt, suggestionsAt } from '../../../ui/model/yaml-fields.ts';

const POLICY = `apiVersion: capabilitypolicy.dev/v1alpha1
kind: CapabilityPolicy
metadata: {name: a}
spec:
  namespaceSelector: {}
`;
const POD = `apiVersion: v1
kind: Pod
metadata:
  name: a
spec:
`;

function at(text: string): { readonly text: string; readonly offset: number } {
  const offset = text.indexOf('|');
  return { text: text.slice(0, offset) + text.slice(offset + 1), offset };
}

/** The suggestions at the cursor. */
function labels(marked: string): string[] {
  const { text, offset } = at(marked);
  return (suggestionsAt(text, offset)?.options ?? []).map(({ label }) => label);
}

describe('completion of fields', () => {
  it('offers the fields that the mapping around the cursor does not have yet', () => {
    const offered = labels(`${POLICY}  |\n  mode: Enforce\n`);
    assert.ok(offered.includes('level') && offered.includes('overrides'), `${offered}`);
    assert.ok(!offered.includes('namespaceSelector') && !offered.includes('mode'), `${offered}`);
  });

  it('offers the values of a field with few values', () => {
    assert.deepEqual(labels(`${POLICY}  level: |`), ['privileged', 'baseline', 'restricted']);
    assert.deepEqual(labels(`${POLICY}  mode: En|\n  level: baseline`), ['Audit', 'Warn', 'Enforce']);
    assert.deepEqual(labels(`${POD}  hostNetwork: |`), ['true', 'false']);
  });

  it('offers capabilities in lists, in either form', () => {
    for (const list of ['allowedAdd: [CHOWN, NET|]', 'allowedAdd:\n      - NET|', 'allowedAdd:\n    - NET|']) {
      const offered = labels(
        `${POLICY}  overrides:\n    capabilities:\n      ${list}`.replace('\n    - ', '\n      - '),
      );
      assert.ok(offered.includes('NET_RAW'), `${list}: ${offered}`);
    }
    const offered = labels(`${POD}  containers:\n  - name: a\n    securityContext:\n      capabilities: {drop: [|]}`);
    assert.equal(offered[0], 'ALL');
  });

  it('supports lists with the same indentation as their key, and lists with a deeper indentation', () => {
    for (const indent of ['  ', '    ']) {
      const offered = labels(`${POD}  containers:\n${indent}- name: a\n${indent}  sec|`);
      assert.ok(offered.includes('securityContext') && !offered.includes('name'), `${offered}`);
      assert.ok(labels(`${POD}  containers:\n${indent}- |`).includes('image'));
      assert.ok(
        labels(`${POD}  containers:\n${indent}- name: a\n${indent}  securityContext:\n${indent}    |`).includes(
          'privileged',
        ),
      );
    }
  });

  it('offers the fields of the document that contains the cursor', () => {
    const stream = `${POLICY}  level: baseline\n---\n${POD}  |\n---\n${POLICY}`;
    assert.ok(labels(stream).includes('containers'));
    assert.deepEqual(labels('kind: |').slice(0, 2), ['CapabilityPolicy', 'Namespace']);
    assert.ok(labels('|').includes('apiVersion'));
  });

  it('offers nothing in a comment, or in a place without a known schema', () => {
    assert.deepEqual(labels(`${POLICY}  # le|`), []);
    assert.deepEqual(labels(`${POD}  containers:\n  - image: exa|`), []);
    assert.deepEqual(labels('apiVersion: example.org/v1\nkind: Widget\nspec:\n  |'), []);
  });

  it('puts a colon after a key, and adds a space if the value follows on the same line', () => {
    const { text, offset } = at(`${POLICY}  |`);
    const applied = new Map(suggestionsAt(text, offset)?.options.map(({ label, apply }) => [label, apply]));
    assert.equal(applied.get('level'), 'level: ');
    assert.equal(applied.get('overrides'), 'overrides:');
  });
});

describe('help', () => {
  const meaning = (marked: string) => {
    const { text, offset } = at(marked);
    return meaningAt(text, offset);
  };

  it('says what a field of a policy means', () => {
    const found = meaning(`${POLICY}  le|vel: baseline`);
    assert.equal(found?.title, 'level: privileged or baseline or restricted');
    assert.match(found?.text ?? '', /Pod Security Standard/);
  });

  it('says what a security field of a pod means, and what a capability permits', () => {
    assert.match(meaning(`${POD}  host|Network: true`)?.text ?? '', /network of the node/);
    const capability = meaning(`${POD}  containers:\n  - securityContext: {capabilities: {add: [NET_R|AW]}}`);
    assert.match(capability?.text ?? '', /^It permits a process to/);
  });

  it('says nothing about a name', () => {
    assert.equal(meaning(`${POD.replace('name: a', 'name: web|app')}`), undefined);
  });
});

describe('help on fields that do not exist', () => {
  it('gives no help for unknown fields, even if the name is a property of every JavaScript object', () => {
    for (const key of ['constructor', 'toString', 'hasOwnProperty', '__proto__']) {
      for (const place of [`${POLICY}  ${key}: 1\n`, `${POD}  nodeSelector:\n    ${key}: a\n`]) {
        const meaning = meaningAt(place, place.indexOf(key) + 1);
        assert.ok(meaning === undefined || meaning.text === '', `${key}: ${meaning?.text}`);
      }
    }
  });
});
