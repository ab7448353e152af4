import assert from 'node:assert/strict';
import { type ApiClient, ApiError } from '../../operator/cluster/client.ts';
import { Definition } from '../../operator/cluster/definition.ts';
import { RecordingLog } from '../support/recording-log.ts';

describe('the uid of the CRD of policies', () => {
  const refusal = (status: number) => new ApiError({ status, reason: '', message: '', causes: [] });
  /** Reads the CRD once for each of the given answers. An answer is a uid, or the status of a refusal. */
  const uidAfter = async (...answers: readonly (string | number)[]) => {
    const left = [...answers];
    const get = async () => {
      const answer = left.shift();
      if (typeof answer === 'number') throw refusal(answer);
      return { metadata: { uid: answer } };
    };
    const definition = new Definition({ get } as unknown as ApiClient, new RecordingLog());
    for (const _ of answers) await definition.read();
    return definition.uid;
  };

  const rows: [title: string, answers: readonly (string | number)[], uid: string][] = [
    ['is empty if the operator never had the right to read the definition', [403], ''],
    ['stays known if a read is forbidden, because every other uid would rewrite all objects', ['first', 403], 'first'],
    ['stays known if no API server answers', ['first', 500], 'first'],
    ['is empty after the definition was deleted', ['first', 404], ''],
    ['is the new uid after the definition was created again', ['first', 404, 'second'], 'second'],
    ['is the new uid after the operator got the right back', ['first', 403, 'second'], 'second'],
  ];
  for (const [title, answers, uid] of rows) {
    it(title, async () => assert.equal(await uidAfter(...answers), uid));
  }
});
