/** Compares the results of held*.ts with the kernel's report about real containers. */
import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import fc from 'fast-check';
import {
  atEntrypoint,
  type CapabilitySets,
  type Credentials,
  execute,
  type FileCapabilities,
  isExecutable,
} from '../../analysis/capabilities/held-by-process.ts';
import { type CapabilityRequest, type Grant, granted } from '../../analysis/capabilities/held-by-runtime.ts';
import { CONTAINER_RUNTIMES, type ContainerRuntime } from '../../analysis/capabilities/runtimes.ts';
import { CAPABILITIES } from '../../operator/standards/capabilities.ts';
import { maskOf, namesIn } from '../support/capability-masks.ts';
import { MEASURED, type Measured } from '../support/measured-sets.ts';
import { describeWith } from '../support/needs.ts';
import { SEED } from '../support/seed.ts';
import { bitsOfThisMachine, type ContainerSpec, Containers, type Process, type ProgramFile } from './containers.ts';

const PROGRAMS = {
  plain: {},
  'net-raw-ep': { capabilities: { permitted: ['NET_RAW'], effective: true } },
  'net-raw-and-admin-ep': { capabilities: { permitted: ['NET_RAW', 'SYS_ADMIN'], effective: true } },
  'all-p': { capabilities: { permitted: CAPABILITIES, effective: false } },
  'setuid-root': { setuid: true },
} as const satisfies Record<string, ProgramFile>;
type Program = keyof typeof PROGRAMS;
const NAMES = Object.keys(PROGRAMS) as Program[];

const REFUSED = { error: 'operation not permitted' };
const UID = 1000;
const RANDOM_CASES = 40;

interface Case {
  readonly request: CapabilityRequest;
  readonly runtime: ContainerRuntime;
  readonly way: Credentials;
  readonly uid: number;
  readonly entrypoint: Program;
}

const WAYS: readonly Credentials[] = [true, false].flatMap((root) =>
  [false, true].map((noNewPrivileges) => ({ root, noNewPrivileges })),
);

describeWith({ root: true, programs: { runc: 'apt-get install runc' } }, 'the kernel', () => {
  const machine = bitsOfThisMachine();
  let containers: Containers;
  /** The containers that ran. Runtimes that give runc the same configuration share a container. */
  const ran = new Map<string, Promise<Map<string, Process>>>();

  before(async () => {
    containers = await Containers.create(PROGRAMS);
  });
  after(() => containers?.remove());

  for (const { add, drop, sets } of MEASURED) {
    it(`add [${add}], drop [${drop}]`, async () => {
      const request = { add, drop, privileged: false };
      await checkAll(
        CONTAINER_RUNTIMES.flatMap((runtime) =>
          everyWay(request, runtime).map((one): [Case, Measured] => [one, sets[runtime.name]]),
        ),
      );
    });
  }

  it('privileged, with any adds and drops', async () => {
    const request = { add: ['NET_RAW'], drop: ['ALL'], privileged: true };
    await checkAll(CONTAINER_RUNTIMES.flatMap((runtime) => everyWay(request, runtime).map((one): [Case] => [one])));
  });

  it(`${RANDOM_CASES} random ones (SEED=${SEED})`, async () => {
    const cases = fc.sample(randomCase, { seed: SEED, numRuns: RANDOM_CASES });
    await checkAll(cases.flatMap((one) => WAYS.map((way): [Case] => [{ ...one, way }])));
  });

  async function checkAll(cases: readonly [Case, Measured?][]): Promise<void> {
    const left = [...cases];
    const work = async () => {
      for (let one = left.pop(); one; one = left.pop()) await check(...one);
    };
    await Promise.all(Array.from({ length: availableParallelism() }, work));
  }

  /**
   * @param measured the value in the file of measurements, which is either a bounding set or an error. If nothing was
   * measured, the value is undefined.
   */
  async function check(one: Case, measured?: Measured): Promise<void> {
    const title = JSON.stringify({ ...one, runtime: one.runtime.name });
    const grant = granted(one.runtime, one.request);
    if ('error' in grant) {
      if (measured !== undefined) assert.equal(grant.error, measured, title);
      return;
    }
    // The root user of this machine can give only its own capabilities to a container.
    const capabilities = namesIn(maskOf(grant.capabilities) & machine);
    const found = await containerOf(one, { ...grant, capabilities });
    assert.deepEqual(Object.fromEntries(found), expected(one, capabilities), title);
    const entrypoint = found.get(one.entrypoint);
    if (measured === undefined || !entrypoint || 'error' in entrypoint) return;
    assert.ok(typeof measured === 'bigint', `${title} starts, against ${measured}`);
    assert.equal(entrypoint.bounding, measured & machine, title);
  }

  /** Runs the container. The configuration of the container also has the capability names that runc ignores. */
  function containerOf(one: Case, { capabilities, ignored }: Grant): Promise<Map<string, Process>> {
    const spec: ContainerSpec = {
      uid: one.way.root ? 0 : one.uid,
      noNewPrivileges: one.way.noNewPrivileges,
      capabilities: [...capabilities.map((name) => `CAP_${name}`), ...ignored],
      programs: [one.entrypoint, ...startedBy(one.entrypoint)],
    };
    const key = JSON.stringify(spec);
    const running = ran.get(key) ?? containers.run(spec);
    ran.set(key, running);
    return running;
  }
});

/** The expected capabilities of each program. The entrypoint starts the other programs, as a shell would. */
function expected(one: Case, capabilities: readonly string[]): Record<string, Process> {
  const { entrypoint } = one;
  if (!starts(entrypoint, capabilities)) return { [entrypoint]: REFUSED };
  const sets = atEntrypoint(capabilities, ...startOf(entrypoint, one));
  const below = startedBy(entrypoint).map((name): [string, Process] => [
    name,
    starts(name, capabilities) ? status(execute(sets, ...startOf(name, one)), one) : REFUSED,
  ]);
  return { [entrypoint]: status(sets, one), ...Object.fromEntries(below) };
}

/**
 * The programs that the entrypoint starts. A setuid entrypoint starts no other program, because the program would run
 * partly as root.
 */
function startedBy(entrypoint: Program): Program[] {
  return entrypoint === 'setuid-root' ? [] : NAMES.filter((name) => name !== entrypoint);
}

function starts(name: Program, bounding: readonly string[]): boolean {
  const { capabilities }: ProgramFile = PROGRAMS[name];
  return !capabilities || isExecutable(bounding, capabilities);
}

/** The credentials of a program at its start. With no-new-privileges, the kernel ignores the set-user-ID bit. */
function startOf(name: Program, { way }: Case): [Credentials, FileCapabilities | undefined] {
  const { setuid, capabilities }: ProgramFile = PROGRAMS[name];
  return [{ ...way, root: way.root || (setuid === true && !way.noNewPrivileges) }, capabilities];
}

function status({ bounding, permitted, effective }: CapabilitySets, { way, uid }: Case): Process {
  return {
    uid: way.root ? 0 : uid,
    noNewPrivileges: way.noNewPrivileges,
    bounding: maskOf(bounding),
    permitted: maskOf(permitted),
    effective: maskOf(effective),
    inheritable: 0n,
    ambient: 0n,
  };
}

function everyWay(request: CapabilityRequest, runtime: ContainerRuntime): Case[] {
  return WAYS.flatMap((way) =>
    (['plain', 'net-raw-ep'] as const).map((entrypoint) => ({ request, runtime, way, uid: UID, entrypoint })),
  );
}

/** Random capability names in the spellings that people use. */
const spelt = fc
  .tuple(
    fc.oneof(
      { weight: 8, arbitrary: fc.constantFrom(...CAPABILITIES) },
      { weight: 2, arbitrary: fc.constantFrom('NET_RAW', 'SYS_ADMIN') },
      { weight: 1, arbitrary: fc.constantFrom('ALL', 'LOREM') },
    ),
    fc.constantFrom('', '', '', '', 'CAP_'),
    fc.boolean(),
  )
  .map(([name, prefix, small]) => (small ? (prefix + name).toLowerCase() : prefix + name));

const randomCase = fc.record({
  request: fc.record({
    add: fc.array(spelt, { maxLength: 4 }),
    drop: fc.oneof(fc.constant(['ALL']), fc.array(spelt, { maxLength: 4 })),
    privileged: fc.nat(15).map((n) => n === 0),
  }),
  runtime: fc.constantFrom(...CONTAINER_RUNTIMES),
  uid: fc.integer({ min: 1, max: 65535 }),
  entrypoint: fc.constantFrom(...NAMES),
});
