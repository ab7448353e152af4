/**
 * Tests on a real API server whether the operator writes a policy's row and the rights of the policy's users in the
 * right order.
 */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { COMPILED_MS } from '../../operator/apply/in-force.ts';
import type { Programs } from '../../operator/apply/programs.ts';
import { ApiError, pathOf } from '../../operator/cluster/client.ts';
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

  const recorded: Interception = {
    before(verb, path, body) {
      const name = decodeURIComponent(path.slice(path.lastIndexOf('/') + 1));
      if (!name.includes('canary')) writes.push({ what: `${verb} ${name}${usersIn(body)}`, at: performance.now() });
      before(verb, path, body);
    },
  };

  beforeEach(() => {
    writes = [];
    before = () => {};
    programs = cluster.programs(recorded);
  });

  const settled = (rows: Rows) => cluster.settled(programs, smallCompiled(rows));
  const whats = () => writes.map(({ what }) => what);

  it('may use it before a program asks', async () => {
    await settled({ red: usedBy('a') });
    assert.deepEqual(whats().slice(0, 3), [`apply ${USE}`, `apply ${USE}: a`, `apply ${ENFORCE}`]);
    const [, granted, enforced] = writes;
    // API servers follow bindings and programs by separate watches.
    assert.ok((enforced?.at ?? 0) - (granted?.at ?? 0) >= 1_000);
    assert.deepEqual([await cluster.admits(ONE, 'red', 'a'), await cluster.admits(ONE, 'red', 'b')], [true, false]);
  });

  it('new users may use a policy that was not enforced before a program asks, even if only the row of a program changes', async () => {
    await settled({ red: { ...usedBy('a'), mode: 'Warn' }, other: { namespace: 'elsewhere', colours: ['red'] } });
    writes = [];
    await settled({ red: usedBy('a', 'b'), other: { namespace: 'elsewhere', colours: ['red'] } });
    const at = (what: string) => writes.find((one) => one.what === what)?.at ?? Number.NaN;
    assert.ok(at(`replace ${ENFORCE}`) - at(`apply ${USE}: a b`) >= 1_000, whats().join());
  });

  it('new users may use a policy before a program asks, even if the start of a new process is over during a pass', async () => {
    const other = { namespace: 'elsewhere', colours: ['red'] };
    await settled({ red: { ...usedBy('a'), mode: 'Warn' }, other });
    writes = [];
    let skippedMs = 0;
    before = () => {
      skippedMs = COMPILED_MS;
    };
    const clock = { now: () => performance.now() + skippedMs };
    await cluster.settled(cluster.programs(recorded, { clock }), smallCompiled({ red: usedBy('a', 'b'), other }));
    const [granted, enforced] = [`apply ${USE}: a b`, `replace ${ENFORCE}`].map((what) => whats().indexOf(what));
    assert.ok(granted !== -1 && (granted ?? 0) < (enforced ?? 0), whats().join());
  });

  it('the users of a policy change at once if the row of the policy stays unchanged', async () => {
    await settled({ red: usedBy('a') });
    writes = [];
    await settled({ red: usedBy('b') });
    assert.deepEqual(whats(), [`apply ${USE}: b`, `apply ${USE}`]);
  });

  it('narrows the rights to the users of both states before the row changes, and widens the rights when the new row is in force', async () => {
    await settled({ red: usedBy('a', 'b') });
    writes = [];
    await settled({ red: { ...usedBy('b', 'c'), colours: ['green', 'both'] } });
    assert.deepEqual(whats(), [`apply ${USE}: b`, `apply ${USE}`, `replace ${ENFORCE}`, `apply ${USE}: b c`]);
    const [narrowed, , replaced] = writes;
    assert.ok((replaced?.at ?? 0) - (narrowed?.at ?? 0) >= 1_000);
  });

  it('users are narrowed to nobody if the old and the new state have no user in common', async () => {
    await settled({ red: usedBy('a') });
    writes = [];
    await settled({ red: { ...usedBy('b'), colours: ['green'] } });
    assert.deepEqual(whats(), [`apply ${USE}: `, `apply ${USE}`, `replace ${ENFORCE}`, `apply ${USE}: b`]);
  });

  it('always refuses a user whom both states refuse, and always admits a user whom both states admit', async () => {
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

  it('the binding remains until every API server lets everyone use the policy', async () => {
    await settled({ red: usedBy('a') });
    writes = [];
    await settled({ red: { namespace: ONE, colours: ['red'] } });
    assert.deepEqual(whats(), [`apply ${USE}`, `replace ${ENFORCE}`, `delete ${USE}`]);
  });

  it('a new process keeps the rights narrowed until the new row is in force', async () => {
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

  it('if the API server refuses a binding, other policies come into force, and the policy of the binding says why', async () => {
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

  for (const mode of ['Enforce', 'Warn'] as const) {
    it(`if the API server refuses to remove a user, the user gets no looser row: after mode ${mode}`, async () => {
      const rows = { red: { ...usedBy('a'), mode }, other: { namespace: 'elsewhere', colours: ['red'] } };
      const edited = { ...rows, red: { ...usedBy('b'), colours: ['green', 'both'] } };
      await settled(rows);
      writes = [];
      before = (_verb, path) => {
        if (decodeURIComponent(path).endsWith(`clusterrolebindings/${USE}`))
          throw new ApiError({ status: 403, reason: 'Forbidden', message: 'no binding', causes: [] });
      };
      const compiled = smallCompiled(edited);
      for (let pass = 0; pass < 20; pass++) {
        const { outcomes } = await programs.pass(compiled, await cluster.rendered());
        await sleep(200);
        if (pass < 10) continue;
        assert.deepEqual([outcomes.get('red')?.state, outcomes.get('red')?.message], ['Failed', 'no binding']);
        assert.ok(!whats().includes(`replace ${ENFORCE}`), whats().join());
      }
      before = () => {};
      await settled(edited);
      assert.deepEqual(
        [await cluster.admits(ONE, 'green', 'a'), await cluster.admits(ONE, 'green', 'b')],
        [false, true],
      );
    });
  }

  it('a program waits for a binding if the write of the binding may succeed soon', async () => {
    let fails = 2;
    before = (_verb, path) => {
      if (decodeURIComponent(path).endsWith(`clusterrolebindings/${USE}`) && fails-- > 0)
        throw new Error('the connection was reset');
    };
    await settled({ red: usedBy('a') });
    const program = whats().indexOf(`apply ${ENFORCE}`);
    assert.ok(program > whats().lastIndexOf(`apply ${USE}: a`), whats().join());
  });

  it('if somebody deletes a binding and the program, the policy is not in force until both are back', async () => {
    await settled({ red: usedBy('a') });
    const compiled = smallCompiled({ red: usedBy('a') });
    for (const object of await cluster.rendered()) {
      const { kind, metadata } = object;
      if (kind === 'ClusterRoleBinding' || metadata.name === ENFORCE) await cluster.client.remove(pathOf(object));
    }
    writes = [];
    await cluster.passUntil(programs, compiled, ({ outcomes }) => outcomes.get('red')?.state === 'InForce');
    assert.ok(whats().includes(`apply ${ENFORCE}`), whats().join());
    assert.equal(await cluster.admits(ONE, 'red', 'b'), false);
  });

  it('if somebody deletes a program some time after the last change of a binding, the next pass writes the program', async () => {
    await settled({ red: usedBy('a') });
    const compiled = smallCompiled({ red: usedBy('b') });
    await cluster.settled(programs, compiled);
    await programs.pass(compiled, await cluster.rendered());
    await sleep(1_100);
    const [program] = (await cluster.rendered()).filter(({ metadata }) => metadata.name === ENFORCE);
    assert.ok(program);
    await cluster.client.remove(pathOf(program));
    writes = [];
    await programs.pass(compiled, await cluster.rendered());
    assert.deepEqual(whats(), [`apply ${ENFORCE}`]);
  });

  it('the users are restored after somebody changes or deletes the binding or the role', async () => {
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
