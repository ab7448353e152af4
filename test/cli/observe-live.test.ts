/**
 * Tests `cappol observe --cluster` with a real API server. The tests cover logs that `--log` names, and pods without a
 * log.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rawLines } from '../../analysis/observe/raw-log.ts';
import { Observers } from '../../cli/commands/observe/observers.ts';
import type { ControlPlane } from '../../hack/controlplane/controlplane.ts';
import { ApiClient } from '../../operator/cluster/client.ts';
import { loadKubeConfig } from '../../operator/cluster/kubeconfig.ts';
import { cappol } from '../support/cappol.ts';
import { sharedControlPlane } from '../support/control-plane.ts';

const END = { uses: [], watches: [], seconds: 60, sawAll: true };
const COUNTS = { checks: 3, lost: 0, unplaced: 0 };

describe('cappol observe --cluster with an API server', () => {
  const folder = mkdtempSync(join(tmpdir(), 'observe-live-'));
  let controlPlane: ControlPlane;

  before(async () => {
    controlPlane = await sharedControlPlane();
  });
  after(() => rmSync(folder, { recursive: true }));

  const write = (name: string, lines: readonly object[]) =>
    writeFileSync(join(folder, name), lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  const named = (...files: string[]) =>
    cappol(['observe', '--cluster', '--kubeconfig', controlPlane.kubeconfig, '--log', ...files], '', folder);

  it('observe --log says for each log what the observer of the log did not see', async () => {
    write('a.jsonl', rawLines({ ...END, sawAll: false, counts: COUNTS }));
    write('b.jsonl', rawLines({ ...END, counts: { checks: 9, lost: 2, unplaced: 5 } }));
    const { code, stderr } = await named('a.jsonl', 'b.jsonl');
    assert.equal(
      stderr,
      [
        'cappol: a.jsonl: 0 containers for 1m, 3 capability checks, 0 events lost',
        'cappol: a.jsonl: the observer cannot see all processes of the node, so containers that started before the observer are left out',
        'cappol: b.jsonl: 0 containers for 1m, 9 capability checks, 2 events lost',
        'cappol: b.jsonl: some uses may be missing, since events were lost: choose a larger --buffer-size',
        'cappol: b.jsonl: 5 checks are left out, since their processes ended while the observation began',
        '',
      ].join('\n'),
    );
    assert.equal(code, 0);
  });

  it('observe --log fails when one of several logs is incomplete', async () => {
    write('a.jsonl', [{ raw: 'progress', seconds: 5, containers: 0, counts: COUNTS }]);
    write('b.jsonl', rawLines({ ...END, counts: COUNTS }));
    const { code, stderr } = await named('a.jsonl', 'b.jsonl');
    assert.match(stderr, /^cappol: a\.jsonl: not observed, the log has no end$/m);
    assert.equal(code, 2);
  });

  it('observe gives up at once after the last attempt to read a log', async () => {
    const client = new TimedClient(loadKubeConfig({ kubeconfig: controlPlane.kubeconfig }));
    try {
      const observers = new Observers(client, new AbortController().signal);
      observers.seen({ metadata: { name: 'gone' }, status: { phase: 'Running' } } as never);
      await observers.ended();
      const waited = performance.now() - (client.answered.at(-1) ?? 0);
      assert.equal(client.answered.length, 3);
      assert.ok(waited < 500, `${waited} ms after the last answer`);
      assert.match(observers.all[0]?.log.messages.join() ?? '', /not found/);
    } finally {
      await client.close();
    }
  });
});

class TimedClient extends ApiClient {
  readonly answered: number[] = [];

  override async follow(...args: Parameters<ApiClient['follow']>): Promise<void> {
    try {
      await super.follow(...args);
    } finally {
      this.answered.push(performance.now());
    }
  }
}
