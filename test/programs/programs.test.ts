/** Tests how programs come into force on a real API server. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '../../hack/controlplane/wait.ts';
import { distinct } from '../../operator/apply/probe.ts';
import type { Programs } from '../../operator/apply/programs.ts';
import { WATCH_LAG_MS } from '../../operator/apply/writes.ts';
import { type ApiClient, ApiError, pathOf } from '../../operator/cluster/client.ts';
import { endpoints } from '../../operator/cluster/servers.ts';
import { compile } from '../../operator/compile/compile.ts';
import { PROBE_ANSWER } from '../../operator/compile/program.ts';
import { policy } from '../support/policies.ts';
import { type Interception, useProgramCluster, type Verb } from './program-cluster.ts';
import { COMPILE, type Rows, smallCompiled } from './small-programs.ts';

const [ONE, TWO] = ['programs-one', 'programs-two'];
const ENFORCE = 'capabilitypolicy.enforce';
const red = { namespace: ONE, colours: ['red'] };
const blue = { namespace: TWO, colours: ['blue'] };

describe('Programs.pass', function () {
  this.timeout(300_000);
  const cluster = useProgramCluster([ONE, TWO]);
  let writes: string[];
  let told: string[];
  let before: NonNullable<Interception['before']>;
  let servers: (client: ApiClient) => Promise<readonly ApiClient[]>;
  let programs: Programs;

  beforeEach(() => {
    servers = endpoints;
    writes = [];
    told = [];
    before = () => {};
    programs = cluster.programs(
      {
        before: (verb, path, body) => {
          writes.push(`${verb} ${lastOf(path)}`);
          before(verb, path, body);
        },
      },
      { onWrite: (action, { name }) => told.push(`${action} ${name}`), servers: (client) => servers(client) },
    );
  });

  const settled = (rows: Rows) => cluster.settled(programs, smallCompiled(rows));
  const stateOf = async (rows: Rows, policy: string) =>
    (await programs.pass(smallCompiled(rows), await cluster.rendered())).outcomes.get(policy);

  it('creates a program after the canary has passed, beginning with the policy and ending with the binding of the probe', async () => {
    await settled({ red, blue: { ...blue, mode: 'Audit' } });
    const own = writes.filter((write) => write.includes(ENFORCE));
    const canary = `${ENFORCE}-canary`;
    assert.deepEqual(own, [
      `apply ${canary}`,
      `apply ${canary}-probe`,
      `apply ${ENFORCE}`,
      `apply ${ENFORCE}-pods`,
      `apply ${ENFORCE}-probe`,
      `delete ${canary}-probe`,
      `delete ${canary}`,
    ]);
    assert.deepEqual([await cluster.admits(ONE, 'red'), await cluster.admits(ONE, 'blue')], [true, false]);
  });

  it('a refused program for defaulting does not make policies wait that fill in nothing', async () => {
    const of = (name: string, namespace: string, defaulting: 'Enabled' | 'Disabled') =>
      policy(name, {
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
        level: 'restricted',
        mode: 'Enforce',
        defaulting,
      });
    const compiled = compile([of('fills', ONE, 'Enabled'), of('plain', TWO, 'Disabled')], COMPILE);
    assert.deepEqual(
      [...(compiled.programs.find(({ kind }) => kind === 'Defaulting')?.rows.keys() ?? [])],
      ['fills', 'plain'],
    );
    before = (_verb, path) => {
      if (path.includes('mutatingadmissionpolicies'))
        throw new ApiError({ status: 403, message: 'no mutation here', reason: 'Forbidden', causes: [] });
    };
    const { outcomes } = await cluster.passUntil(
      programs,
      compiled,
      ({ outcomes }) => outcomes.get('plain')?.state === 'InForce',
    );
    const fills = outcomes.get('fills');
    assert.deepEqual([fills?.state, fills?.message], ['Failed', 'no mutation here']);
    before = () => {};
    await cluster.settled(programs, compiled);
  });

  it('after a restart, a refused write leaves the unchanged rows of the live program in force', async () => {
    const of = (name: string, namespace: string, priority: number) =>
      policy(name, {
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
        level: 'restricted',
        mode: 'Enforce',
        priority,
      });
    const compiled = compile([of('edited', ONE, 1), of('same', TWO, 1)], COMPILE);
    await cluster.settled(programs, compiled);
    let isRefusing = true;
    const restarted = cluster.programs({
      before: (_verb, path) => {
        if (isRefusing && path.includes('validatingadmissionpolicies'))
          throw new ApiError({ status: 403, message: 'no update here', reason: 'Forbidden', causes: [] });
      },
    });
    const edited = compile([of('added', 'elsewhere', 1), of('edited', ONE, 2), of('same', TWO, 1)], COMPILE);
    const { outcomes } = await cluster.passUntil(
      restarted,
      edited,
      ({ outcomes }) => outcomes.get('same')?.state === 'InForce',
    );
    for (const name of ['added', 'edited']) {
      const outcome = outcomes.get(name);
      assert.deepEqual([outcome?.state, outcome?.servers.inForce], ['Failed', 0], name);
      assert.match(outcome?.message ?? '', /no update here$/);
    }
    isRefusing = false;
    await cluster.settled(restarted, edited);
  });

  it('one write changes a table in place, and the other policies stay in force during the change', async () => {
    await settled({ red, blue });
    writes = [];
    const edited = smallCompiled({ red, blue: { ...blue, colours: ['green'] } });
    const states: (string | undefined)[] = [];
    await cluster.passUntil(programs, edited, ({ outcomes }) => {
      states.push(outcomes.get('red')?.state);
      return outcomes.get('blue')?.state === 'InForce';
    });
    assert.deepEqual(
      writes.filter((write) => write.includes('capabilitypolicy.e')),
      [`replace ${ENFORCE}`],
    );
    assert.deepEqual([...new Set(states)], ['InForce']);
    assert.deepEqual([await cluster.admits(TWO, 'green'), await cluster.admits(TWO, 'blue')], [true, false]);
  });

  it('reports an edit as in force after API servers have loaded the edit', async () => {
    for (const colour of ['red', 'green', 'red', 'yellow']) {
      await cluster.passUntil(
        programs,
        smallCompiled({ red: { ...red, colours: [colour] } }),
        ({ outcomes }) => outcomes.get('red')?.state === 'InForce',
      );
      assert.ok(await cluster.admits(ONE, colour), colour);
    }
  });

  it('after a write, passes only ask the API servers, until an API server has loaded the edit or the watch shows a change', async () => {
    await settled({ red });
    const clients = await endpoints(cluster.client);
    const asking = cluster.programs({}, { servers: async () => clients });
    await cluster.settled(asking, smallCompiled({ red }));
    const edited = smallCompiled({ red: { ...red, colours: ['green'] } });
    await asking.pass(edited, await cluster.rendered());
    const seen = await cluster.rendered();
    const until = performance.now() + 20_000;
    let [before, same] = [await asking.pass(edited, seen), 0];
    for (;;) {
      const result = await asking.pass(edited, seen);
      if (result.outcomes === before.outcomes) same++;
      if (result.outcomes.get('red')?.state === 'InForce') break;
      assert.ok(performance.now() < until, `${result.outcomes.get('red')?.message}`);
      await sleep(Math.min(result.comeBackMs ?? 50, 50));
      before = result;
    }
    assert.ok(same > 0, 'each pass was a whole one');
    assert.ok(await cluster.admits(ONE, 'green'));
    const later = await asking.pass(edited, seen);
    // Somebody changes the program out of band. The next pass gets the objects that the watch shows. The next pass is a
    // full pass. The pass restores the program.
    const enforce = async () => (await cluster.rendered()).find(({ metadata }) => metadata.name === ENFORCE);
    const policy = await enforce();
    assert.ok(policy);
    await cluster.change(pathOf(policy), { spec: { failurePolicy: 'Ignore' } });
    const restored = await asking.pass(edited, await cluster.rendered());
    assert.notEqual(restored.outcomes, later.outcomes);
    assert.deepEqual((await enforce())?.spec, policy.spec);
  });

  it('if the watch is late, the operator reads the written program, and does not repeat the write', async () => {
    await settled({ red });
    const late = await cluster.rendered();
    const edited = smallCompiled({ red: { ...red, colours: ['green'] } });
    writes = [];
    for (const until = performance.now() + 3 * WATCH_LAG_MS; performance.now() < until; await sleep(200)) {
      const { outcomes } = await programs.pass(edited, late);
      assert.notEqual(outcomes.get('red')?.state, 'Failed', outcomes.get('red')?.message);
    }
    assert.deepEqual(writes, [`replace ${ENFORCE}`]);
  });

  it('the answer of an older program with the same rows does not prove that the newest program is in force', async () => {
    await settled({ red });
    // This pass writes a program that admits the colour green. The test does not wait until the written program is in
    // force.
    await programs.pass(smallCompiled({ red: { ...red, colours: ['green'] } }), await cluster.rendered());
    await cluster.passUntil(
      programs,
      smallCompiled({ red }),
      ({ outcomes }) => outcomes.get('red')?.state === 'InForce',
    );
    for (let i = 0; i < 30; i++) {
      assert.ok(await cluster.admits(ONE, 'red'));
      await sleep(50);
    }
  });

  it('brings a defaulting program into force, and an annotation proves that the program is in force', async () => {
    await settled({ red: { ...red, fills: true, guarded: true } });
    assert.ok(writes.includes('apply capabilitypolicy.defaulting-probe'));
  });

  it('if new rules fail in the canary, keeps the old program and reports the reason', async () => {
    await settled({ red });
    const unsound = smallCompiled({ red: { ...red, colours: ['green'] } }, { release: 'two', unsound: true });
    writes = [];
    const result = await cluster.passUntil(
      programs,
      unsound,
      ({ outcomes }) => outcomes.get('red')?.state === 'Failed',
    );
    assert.match(result.outcomes.get('red')?.message ?? '', /index out of bounds/);
    assert.ok(!writes.includes(`replace ${ENFORCE}`));
    assert.deepEqual([await cluster.admits(ONE, 'red'), await cluster.admits(ONE, 'green')], [true, false]);
    await cluster.settled(programs, smallCompiled({ red: { ...red, colours: ['green'] } }, { release: 'three' }));
    assert.ok(await cluster.admits(ONE, 'green'));
  });

  it('restores objects that somebody changed or deleted, and reports each restored object', async () => {
    await settled({ red });
    const compiled = smallCompiled({ red });
    const rendered = async (name: string) => {
      const object = (await cluster.rendered()).find(({ metadata }) => metadata.name === name);
      assert.ok(object);
      return object;
    };
    const policyPath = pathOf(await rendered(ENFORCE));
    for (const change of [
      async () => cluster.api.remove(policyPath),
      async () => cluster.api.remove(pathOf(await rendered(`${ENFORCE}-pods`))),
      async () => cluster.change(policyPath, { spec: { failurePolicy: 'Ignore' } }),
      async () => cluster.change(pathOf(await rendered(`${ENFORCE}-pods`)), { spec: { validationActions: ['Audit'] } }),
      async () => cluster.change(policyPath, { metadata: { labels: { 'capabilitypolicy.dev/text': 'other' } } }),
    ]) {
      told = [];
      await change();
      await cluster.passUntil(
        programs,
        compiled,
        ({ outcomes }) => told.length > 0 && outcomes.get('red')?.state === 'InForce',
      );
      assert.ok(
        told.every((one) => one.startsWith('repaired')),
        told.join(),
      );
      assert.ok(!(await cluster.admits(ONE, 'blue')), told.join());
    }
  });

  it('if a finalizer blocks the deletion of an object, writes the object, names the finalizer, and reports the policy as not in force', async () => {
    await settled({ red });
    const [object] = (await cluster.rendered()).filter(({ metadata }) => metadata.name === ENFORCE);
    assert.ok(object);
    await cluster.change(pathOf(object), { metadata: { finalizers: ['example.org/keep'] } });
    await cluster.api.remove(pathOf(object));
    const rows = { red: { ...red, colours: ['green'] } };
    await cluster.passUntil(programs, smallCompiled(rows), ({ outcomes }) =>
      /example\.org\/keep/.test(outcomes.get('red')?.message ?? ''),
    );
    assert.equal((await stateOf(rows, 'red'))?.state, 'Working');
    assert.ok(await cluster.admits(ONE, 'green'));
    await cluster.change(pathOf(object), { metadata: { finalizers: null } });
    await settled(rows);
  });

  for (const status of [403, 409, 422, 429, 500, 504]) {
    it(`a program that is refused with ${status} keeps no other one from coming into force, and the policies say why`, async () => {
      const rows = { red, blue: { ...blue, mode: 'Warn' as const } };
      before = (verb, path) => {
        if (verb !== 'delete' && lastOf(path) === ENFORCE)
          throw new ApiError({ status, reason: 'Test', message: `refused with ${status}`, causes: [] });
      };
      const { outcomes } = await cluster.passUntil(
        programs,
        smallCompiled(rows),
        ({ outcomes }) => outcomes.get('blue')?.state === 'InForce' && outcomes.get('red')?.state === 'Failed',
      );
      assert.equal(outcomes.get('red')?.message, `refused with ${status}`);
      before = () => {};
      await settled(rows);
    });
  }

  it('if a program is too large for etcd, the other programs come into force, and the stale program stays', async () => {
    await settled({ red, blue: { ...blue, mode: 'Warn' } });
    const large = smallCompiled({ red: { ...red, colours: ['green'] } }, { padding: 90_000 });
    const [program] = large.programs;
    assert.ok(program);
    const spec = program.policy.spec as { variables: object[] };
    for (let i = 0; i < 20; i++) spec.variables.push({ name: `more${i}`, expression: `"${'x'.repeat(90_000)}"` });
    const { outcomes } = await cluster.passUntil(
      programs,
      large,
      ({ outcomes }) => outcomes.get('red')?.state === 'Failed',
    );
    assert.match(outcomes.get('red')?.message ?? '', /too large|limit/);
    const names = (await cluster.rendered()).map(({ metadata }) => metadata.name);
    assert.ok(names.includes('capabilitypolicy.warn'));
    assert.ok(await cluster.admits(ONE, 'red'));
  });

  it('if the connection is lost for one object, other objects are written, and the status gives the reason', async () => {
    const rows = { red, blue: { ...blue, mode: 'Warn' as const } };
    before = (_verb, path) => {
      if (lastOf(path) === ENFORCE) throw new Error('the connection was reset');
    };
    await cluster.passUntil(programs, smallCompiled(rows), ({ outcomes }) => outcomes.get('blue')?.state === 'InForce');
    await cluster.passUntil(
      programs,
      smallCompiled(rows),
      ({ outcomes }) => outcomes.get('red')?.message === 'the connection was reset',
    );
    before = () => {};
    await settled(rows);
  });

  it('deletes the program of a mode without policies, and deletes roles last', async () => {
    await settled({ red: { ...red, users: ['one'] }, blue: { ...blue, mode: 'Warn' } });
    writes = [];
    await settled({ blue: { ...blue, mode: 'Warn' } });
    const role = 'capabilitypolicy.dev:use:red';
    assert.deepEqual(writes, [
      `delete ${ENFORCE}-pods`,
      `delete ${ENFORCE}-probe`,
      `delete ${ENFORCE}`,
      `delete ${role}`,
      `delete ${role}`,
    ]);
    await settled({});
    assert.ok(await cluster.admits(TWO, 'red'));
  });

  for (const [title, mode] of [
    ['a change of the mode to Audit', 'Audit'],
    ['a change of the mode to Warn', 'Warn'],
  ] as const) {
    it(`after ${title}, the policy refuses nothing, even if no other program can come into force`, async () => {
      await settled({ red, blue: { ...blue, mode: 'Warn' } });
      before = (verb, path) => {
        if (verb !== 'delete' && !lastOf(path).startsWith(ENFORCE)) throw new Error('a webhook does not answer');
      };
      const rows: Rows = { red: { ...red, mode }, blue: { ...blue, mode: 'Warn' } };
      await cluster.passUntil(programs, smallCompiled(rows), () => writes.includes(`delete ${ENFORCE}`));
      const isAdmitted = () => cluster.admits(ONE, 'blue');
      await waitFor('the pod to be admitted', isAdmitted, { timeoutMs: 30_000, intervalMs: 100 });
      assert.equal((await stateOf(rows, 'red'))?.message, 'a webhook does not answer');
    });
  }

  it('after a change of the mode, reports the policy as in force when the old program is out of force', async () => {
    await settled({ red });
    const warns = smallCompiled({ red: { ...red, mode: 'Warn' } });
    await cluster.passUntil(programs, warns, ({ outcomes }) => outcomes.get('red')?.state === 'InForce');
    assert.ok(await cluster.admits(ONE, 'blue'));
  });

  it('after a change of the mode, reports the policy as in force when the remaining old program has lost the row of the policy', async () => {
    await settled({ red, blue });
    const warns = { red, blue: { ...blue, mode: 'Warn' as const } };
    before = (_verb, path) => {
      if (lastOf(path) === ENFORCE) throw new Error('the connection was reset');
    };
    const seen: (string | undefined)[] = [];
    // The writes of the Enforce program fail. Meanwhile, the Warn program comes into force.
    await cluster.passUntil(programs, smallCompiled(warns), ({ outcomes }) => {
      seen.push(outcomes.get('blue')?.state);
      return seen.length > 60;
    });
    assert.ok(!seen.includes('InForce'), seen.join());
    assert.equal(await cluster.admits(TWO, 'red'), false);
    assert.equal(
      (await programs.pass(smallCompiled(warns), await cluster.rendered())).outcomes.get('blue')?.message,
      'the connection was reset',
    );
    before = () => {};
    await cluster.passUntil(
      programs,
      smallCompiled(warns),
      ({ outcomes }) => outcomes.get('blue')?.state === 'InForce',
    );
    assert.ok(await cluster.admits(TWO, 'red'));
  });

  it('replaces the programs of another partition without a gap in enforcement', async () => {
    await settled({ red });
    let done = false;
    const surprises: string[] = [];
    const watching = (async () => {
      while (!done) {
        if (!(await cluster.admits(ONE, 'red'))) surprises.push('red refused');
        if (await cluster.admits(ONE, 'blue')) surprises.push('blue admitted');
      }
    })();
    await cluster.settled(programs, smallCompiled({ red }, { suffix: '-2-0' }));
    done = true;
    await watching;
    assert.deepEqual(surprises, []);
  });

  it('deletes admission policies of an older form after the programs are in force', async () => {
    const name = 'capabilitypolicy-red-0123456789ab';
    const labels = { 'app.kubernetes.io/managed-by': 'capabilitypolicy.dev', 'capabilitypolicy.dev/policy': 'red' };
    const [program] = smallCompiled({ red }).programs;
    const old = { ...program?.policy, metadata: { name, labels } };
    await cluster.api.apply(`/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/${name}`, old);
    const messages: (string | undefined)[] = [];
    await cluster.passUntil(programs, smallCompiled({ red }), ({ outcomes }) => {
      messages.push(outcomes.get('red')?.message);
      return outcomes.get('red')?.state === 'InForce';
    });
    assert.equal(messages.at(-2), `the older ${name} is still in force, too`);
    const firstDeletion = told.indexOf(`deleted ${name}`);
    assert.ok(firstDeletion > told.indexOf(`created ${ENFORCE}-probe`), told.join());
  });

  it('if an object cannot be deleted, other objects are not held back, and the policies of the object say why', async () => {
    await settled({ red, blue: { ...blue, mode: 'Warn' } });
    before = (verb, path) => {
      if (verb === 'delete' && lastOf(path) === ENFORCE) throw refusal();
    };
    const rows = { red: { ...red, mode: 'Warn' as const }, blue: { ...blue, mode: 'Warn' as const } };
    const { outcomes, unremoved } = await cluster.passUntil(
      programs,
      smallCompiled(rows),
      ({ outcomes }) => outcomes.get('red')?.state === 'Failed',
    );
    assert.deepEqual(
      [outcomes.get('red')?.message, outcomes.get('blue')?.state, unremoved?.message],
      ['not now', 'InForce', 'not now'],
    );
    assert.deepEqual(
      (await cluster.rendered()).map(({ metadata }) => metadata.name).filter((name) => name.startsWith(`${ENFORCE}-`)),
      [],
    );
  });

  it('if a program cannot lose the row of a deleted policy, passes return the error until the row is gone', async () => {
    await settled({ red, blue });
    before = refuseReplace;
    const { outcomes, unremoved } = await programs.pass(smallCompiled({ red }), await cluster.rendered());
    assert.deepEqual([[...outcomes.keys()], outcomes.get('red')?.state], [['red'], 'InForce']);
    assert.equal(unremoved?.message, 'not now');
    assert.ok(!(await cluster.admits(TWO, 'red')), 'blue is still in force');
    const again = await programs.pass(smallCompiled({ red }), await cluster.rendered());
    assert.equal(again.unremoved?.message, 'not now');
    const { comeBackMs = Number.POSITIVE_INFINITY } = again;
    assert.ok(comeBackMs <= 1_000, `the next pass begins in ${comeBackMs} ms`);
    before = () => {};
    await cluster.passUntil(programs, smallCompiled({ red }), ({ unremoved }) => !unremoved);
    await settled({ red });
    assert.ok(await cluster.admits(TWO, 'red'));
  });

  it('if a program that loses no row is refused, its policies say why, and passes return no error', async () => {
    await settled({ red, blue });
    before = refuseReplace;
    const edited = smallCompiled({ red, blue: { ...blue, colours: ['green'] } });
    const { outcomes, unremoved } = await programs.pass(edited, await cluster.rendered());
    assert.deepEqual([outcomes.get('blue')?.message, unremoved], ['not now', undefined]);
  });

  it('if an API server joins while the API server refuses a program, unchanged policies are not in force until the new API server enforces them', async () => {
    const clients = await endpoints(cluster.client);
    servers = async () => [...clients];
    let create: () => Promise<unknown> = async () => ({});
    const joining = { server: 'https://192.0.2.1', create: () => create() } as unknown as ApiClient;
    await settled({ red, blue });
    before = refuseReplace;
    const edited = smallCompiled({ red, blue: { ...blue, colours: ['green'] } });
    const pass = async () => (await programs.pass(edited, await cluster.rendered())).outcomes;
    assert.equal((await pass()).get('red')?.state, 'InForce');
    clients.push(joining);
    for (let i = 0; i < 3; i++) {
      const { state, message } = (await pass()).get('red') ?? {};
      assert.deepEqual([state, message], ['Failed', 'not now']);
      await sleep(100);
    }
    const [program] = smallCompiled({ red, blue }).programs;
    create = async () => {
      throw new ApiError({ status: 422, reason: 'Test', message: `${PROBE_ANSWER} ${program?.hash}`, causes: [] });
    };
    const { outcomes } = await cluster.passUntil(
      programs,
      edited,
      ({ outcomes }) => outcomes.get('red')?.state === 'InForce',
    );
    const answering = distinct(clients);
    assert.deepEqual(outcomes.get('red')?.servers, { inForce: answering, answering });
    assert.equal(outcomes.get('blue')?.message, 'not now');
  });

  it('waits three seconds between two writes of a large text', async () => {
    await cluster.passUntil(
      programs,
      smallCompiled({ red }, { padding: 90_000 }),
      ({ outcomes }) => outcomes.get('red')?.state === 'InForce',
    );
    const times: number[] = [];
    before = (verb: Verb) => void (verb === 'replace' && times.push(performance.now()));
    const large = (colour: string) => {
      const compiled = smallCompiled({ red: { ...red, colours: [colour] } }, { padding: 90_000 });
      const spec = compiled.programs[0]?.policy.spec as { variables: object[] };
      for (let i = 0; i < 4; i++) spec.variables.push({ name: `more${i}`, expression: `"${'x'.repeat(90_000)}"` });
      return compiled;
    };
    for (const colour of ['green', 'yellow'])
      await cluster.passUntil(programs, large(colour), ({ outcomes }) => outcomes.get('red')?.state === 'InForce');
    assert.equal(times.length, 2);
    assert.ok((times[1] ?? 0) - (times[0] ?? 0) >= 3_000, times.join());
  });
});

function lastOf(path: string): string {
  return decodeURIComponent(path.slice(path.lastIndexOf('/') + 1));
}

function refuseReplace(verb: Verb): void {
  if (verb === 'replace') throw refusal();
}

function refusal(): ApiError {
  return new ApiError({ status: 403, reason: 'Forbidden', message: 'not now', causes: [] });
}
