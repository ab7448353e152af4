/** Tests the words with which the playground describes the worker's answer about a text. */
import assert from 'node:assert/strict';
import { NEWEST_KNOWN_MINOR } from '../../../operator/standards/level-version.ts';
import { leftOutText } from '../../../ui/model/play-result.ts';
import { createAnswers } from '../../../ui/worker/answers.ts';

const { check } = createAnswers();

function leftOut(manifests: string): readonly string[] {
  const question = { policies: '', manifests, namespace: 'default', namespaceLabels: {} };
  return leftOutText(check({ ...question, serverVersion: NEWEST_KNOWN_MINOR, at: 0 }));
}

describe('objects that the playground does not evaluate', () => {
  it('are named, with the reason', () => {
    assert.deepEqual(leftOut('apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: a}\n'), [
      'not evaluated, no pod template found: Widget.example.com 1',
    ]);
    assert.deepEqual(leftOut('apiVersion: v1\nkind: Service\nmetadata: {name: a}\n'), [
      '1 object makes no pods, so no policy evaluates it.',
    ]);
  });

  it('no object is left out in a text that has only pods', () => {
    assert.deepEqual(leftOut('apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: a}]}\n'), []);
  });
});
