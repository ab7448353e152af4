/** Tests on a real API server the order in which a policy's row and the rights of its users are written. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Programs } from '../../operator/apply/programs.ts';
import { ApiError } from '../../operator/cluster/client.ts';
import { type Interception, useProgramCluster } from './program-cluster.ts';
import { type Row, type Rows, smallCompiled } from './small-programs.ts';

const ONE = 'grants-one';
const USE = 'capabilitypolicy.dev:use:red';
const ENFORCE = 'capabilitypolicy.enforce';
const usedBy = (...users: string[]): Row => ({ namespace: ONE, colours: ['red', 'both'], users });

describe('the users of a policy', function () {
  this.timeout(300_000);
  const cluster = useProgramCluster([ONE]);
  let writes: { readonly what: string; readonly at: number }[];
  let before: NonNullable<Interception['before']>;
  let programs: Programs;

  beforeEach(() => {
    writes = [];
    before = () => {};
    programs = cluster.programs({
      before(verb, path, body) {
        const name = decodeURIComponent(path.slice(path.lastIndexOf('/') + 1));
        if (!name.includes('canary')) writes.push({ what: `${verb} ${name}${usersIn(body)}`, at: performance.now() });
        before(verb, path, body);
      },
    });
  });

  const settled = (rows: Rows) => cluster.settled(programs, smallCompiled(rows));
  const whats = () => writes.map(({ what }) => what);

  it('may use it before a program asks', async () => {
    await settled({ red: usedBy('a') });
    assert.deepEqual(whats().slice(0, 3), [`apply ${USE}`, `apply ${USE}: a`, `apply ${ENFORCE}`]);
    assert.deepEqual([await cluster.admits(ONE, 'red', 'a'), await cluster.admits(ONE, 'red', 'b')], [true, false]);
  });

  it('change at once when the row stays as it is', async () => {
    await settled({ red: usedBy('a') });
    writes = [];
    await settled({ red: usedBy('b') });
    assert.deepEqual(whats(), [`apply ${USE}`, `apply ${USE}: b`]);
  });

  it('are narrowed to those of both states before the row changes, and widened when it is in force', async () => {
    await settled({ red: usedBy('a', 'b') });
    writes = [];
    await settled({ red: { ...usedBy('b', 'c'), colours: ['green', 'both'] } });
    assert.deepEqual(whats(), [`apply ${USE}`, `apply ${USE}: b`, `replace ${ENFORCE}`, `apply ${USE}: b c`]);
    const [, narrowed, replaced] = writes;
    assert.ok((replaced?.at ?? 0) - (narrowed?.at ?? 0) >= 1_000);
  });

  it('are narrowed to nobody when the states share none', async () => {
    await settled({ red: usedBy('a') });
    writes = [];
    await settled({ red: { ...usedBy('b'), colours: ['green'] } });
    assert.deepEqual(whats(), [`apply ${USE}`, `apply ${USE}: `, `replace ${ENFORCE}`, `apply ${USE}: b`]);
  });

  it('never admit what both states refuse, and are never refused what both admit', async () => {
    await settled({ red: usedBy('a', 'b') });
    let done = false;
    const surprises: string[] = [];
    const cases = [
      ['both', 'b', true],
      ['green', 'a', false],
      ['red', 'c', false],
      ['both', 'd', false],
    ] as const;
    const watching = cases.map(async ([colour, account, expected]) => {
      while (!done)
        if ((await cluster.admits(ONE, colour, account)) !== expected) surprises.push(`${account} ${colour}`);
    });
    await settled({ red: { ...usedBy('b', 'c'), colours: ['green', 'both'] } });
    done = true;
    await Promise.all(watching);
    assert.deepEqual(surprises, []);
  });

  it('keep the binding until everyone may use it on every API server', async () => {
    await settled({ red: usedBy('a') });
    writes = [];
    await settled({ red: { namespace: ONE, colours: ['red'] } });
    assert.deepEqual(whats(), [`apply ${USE}`, `replace ${ENFORCE}`, `delete ${USE}`]);
  });

  it('stay narrowed in a new process until the new row is in force', async () => {
    await settled({ red: usedBy('a', 'b') });
    const edited = smallCompiled({ red: { ...usedBy('b', 'c'), colours: ['green'] } });
    before = (verb) => {
      if (verb === 'replace') throw new Error('killed');
    };
    await cluster.passUntil(programs, edited, () => whats().includes(`replace ${ENFORCE}`));
    const next: string[] = [];
    const again = cluster.programs({ before: (verb, _path, body) => next.push(`${verb}${usersIn(body)}`) });
    await cluster.passUntil(again, edited, ({ outcomes }) => outcomes.get('red')?.state === 'InForce');
    assert.deepEqual(next, ['replace', 'apply: b c']);
  });

  it('that the API server refuses: other policies come into force, and the policy says why', async () => {
    before = (_verb, path) => {
      if (decodeURIComponent(path).endsWith(`clusterrolebindings/${USE}`))
        throw new ApiError({ status: 403, reason: 'Forbidden', message: 'no binding', causes: [] });
    };
    const rows = { red: usedBy('a'), other: { namespace: 'elsewhere', colours: ['red'] } };
    const compiled = smallCompiled(rows);
    await cluster.passUntil(programs, compiled, ({ outcomes }) => outcomes.get('other')?.state === 'InForce');
    const { outcomes } = await cluster.passUntil(
      programs,
      compiled,
      ({ outcomes }) => outcomes.get('red')?.state === 'Failed',
    );
    assert.equal(outcomes.get('red')?.message, 'no binding');
  });

  it('are not needed by a program for a moment: it waits for a binding whose write may succeed soon', async () => {
    let fails = 2;
    before = (_verb, path) => {
      if (decodeURIComponent(path).endsWith(`clusterrolebindings/${USE}`) && fails-- > 0)
        throw new Error('the connection was reset');
    };
    await settled({ red: usedBy('a') });
    const program = whats().indexOf(`apply ${ENFORCE}`);
    assert.ok(program > whats().lastIndexOf(`apply ${USE}: a`), whats().join());
  });

  it('are restored when somebody changes or deletes the binding or the role', async () => {
    const compiled = smallCompiled({ red: usedBy('a') });
    await cluster.settled(programs, compiled);
    const path = `/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/${USE}`;
    const subjects = [{ kind: 'Group', name: 'everybody', apiGroup: 'rbac.authorization.k8s.io' }];
    for (const change of [
      () => cluster.change(path, { subjects }),
      () => cluster.api.remove(path),
      () => cluster.api.remove(path.replace('clusterrolebindings', 'clusterroles')),
    ]) {
      await change();
      await cluster.settled(programs, compiled);
      await sleep(100);
      assert.deepEqual([await cluster.admits(ONE, 'red', 'a'), await cluster.admits(ONE, 'red', 'b')], [true, false]);
    }
  });
});

function usersIn(body: unknown): string {
  const { kind, subjects = [] } = Object(body) as { kind?: string; subjects?: { name: string }[] };
  return kind === 'ClusterRoleBinding' ? `: ${subjects.map(({ name }) => name).join(' ')}` : '';
}
