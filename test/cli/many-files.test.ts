/** Tests the search for policies among many manifests. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { PolicyContextBuilder } from '../../analysis/policies/context-builder.ts';
import { addContext } from '../../cli/policies/given.ts';
import { ROOT } from '../support/page.ts';

describe('the search for policies among many manifests', () => {
  it('ends at a signal', async () => {
    const path = join(ROOT, 'config', 'samples', 'kustomization.yaml');
    const files = Array.from({ length: 100_000 }, () => ({ name: 'pod.yaml', path, regular: true }));
    const io = { stdin: process.stdin, cwd: ROOT, signal: AbortSignal.timeout(1) };
    const fail = () => assert.fail();
    await assert.rejects(addContext(new PolicyContextBuilder(), files, io, fail), { name: 'TimeoutError' });
  });
});
