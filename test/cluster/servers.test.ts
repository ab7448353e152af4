import assert from 'node:assert/strict';
import { KubeConfig } from '@kubernetes/client-node';
import { ApiClient, ApiError } from '../../operator/cluster/client.ts';
import { askServers, endpoints, oldest, type ServerMinors } from '../../operator/cluster/servers.ts';

const CONFIGURED = 'https://cluster:443';

interface World {
  /**
   * The EndpointSlice with the addresses of the API servers. If `slice` is an Error, reading the EndpointSlice throws
   * the Error.
   */
  readonly slice?: object;
  /** The minor version that each API server reports. An API server that is not listed does not answer. */
  readonly minors: Readonly<Record<string, string>>;
  /** The minor version that each API server emulates because of the flag --emulated-version. */
  readonly emulated?: Readonly<Record<string, string>>;
  /** The gitVersion that each API server reports. */
  readonly builds?: Readonly<Record<string, string>>;
}

class StubClient extends ApiClient {
  readonly #world: World;
  readonly #server: string;
  readonly servername: string | undefined;

  constructor(world: World, server = CONFIGURED, servername?: string) {
    const config = new KubeConfig();
    config.loadFromClusterAndUser({ name: 'c', server, skipTLSVerify: false }, { name: 'u' });
    super(config);
    this.#world = world;
    this.#server = server;
    this.servername = servername;
  }

  override async get<Answer>(path: string): Promise<Answer> {
    const minor = this.#world.minors[this.#server];
    const emulationMinor = this.#world.emulated?.[this.#server];
    const gitVersion = this.#world.builds?.[this.#server] ?? '';
    const answer =
      path === '/version'
        ? minor !== undefined && { minor, gitVersion, ...(emulationMinor && { emulationMinor }) }
        : this.#world.slice;
    if (!answer) throw new Error(`no answer from ${this.#server}`);
    if (answer instanceof Error) throw answer;
    return answer as Answer;
  }

  override at = (server: string, servername?: string) => new StubClient(this.#world, server, servername);
  override fresh = () => new StubClient(this.#world, this.#server);
}

const slice = (addresses: string[], addressType = 'IPv4') => ({
  addressType,
  ports: [
    { name: 'other', port: 1 },
    { name: 'https', port: 6443 },
  ],
  endpoints: addresses.map((address) => ({ addresses: [address] })),
});

describe('endpoints', () => {
  const cases: [title: string, world: World, servers: string[], minor: number][] = [
    [
      'is each API server that answers at its published address',
      {
        slice: slice(['10.0.0.2', '10.0.0.1', '10.0.0.3']),
        minors: { 'https://10.0.0.1:6443': '36', 'https://10.0.0.2:6443': '35+', [CONFIGURED]: '36' },
      },
      ['https://10.0.0.1:6443', 'https://10.0.0.2:6443'],
      35,
    ],
    [
      'counts one with --emulated-version as the version that it emulates',
      {
        slice: slice(['10.0.0.1', '10.0.0.2']),
        minors: { 'https://10.0.0.1:6443': '36', 'https://10.0.0.2:6443': '36' },
        emulated: { 'https://10.0.0.2:6443': '35' },
      },
      ['https://10.0.0.1:6443', 'https://10.0.0.2:6443'],
      35,
    ],
    [
      'reads the version of a build without a minor version from its gitVersion',
      {
        slice: slice(['10.0.0.1', '10.0.0.2']),
        minors: { 'https://10.0.0.1:6443': '36', 'https://10.0.0.2:6443': '' },
        builds: { 'https://10.0.0.2:6443': 'v1.35.4+k3s1' },
      },
      ['https://10.0.0.1:6443', 'https://10.0.0.2:6443'],
      35,
    ],
    [
      'writes IPv6 addresses as URLs do',
      { slice: slice(['fd00::1'], 'IPv6'), minors: { 'https://[fd00::1]:6443': '36' } },
      ['https://[fd00::1]:6443'],
      36,
    ],
    [
      'is the configured address, several times, when none answers',
      { slice: slice(['10.0.0.1']), minors: { [CONFIGURED]: '34' } },
      [CONFIGURED, CONFIGURED, CONFIGURED],
      34,
    ],
    [
      'is the configured address, several times, when nothing is published',
      { minors: { [CONFIGURED]: '34' } },
      [CONFIGURED, CONFIGURED, CONFIGURED],
      34,
    ],
  ];
  for (const [title, world, servers, minor] of cases) {
    it(title, async () => {
      const client = new StubClient(world);
      assert.deepEqual(
        (await endpoints(client)).map(({ server }) => server),
        servers,
      );
      assert.equal(oldest(await askServers(client)), minor);
    });
  }

  it('the function endpoints checks certificates for the name that every API server has', async () => {
    const client = new StubClient({ slice: slice(['10.0.0.1']), minors: { 'https://10.0.0.1:6443': '36' } });
    const [bound] = await endpoints(client);
    assert.equal((bound as StubClient).servername, 'kubernetes.default.svc');
  });

  it('the function endpoints fails if the client may not read the addresses, because the configured API server may not be the only API server', async () => {
    const slice = new ApiError({ status: 403, message: 'forbidden', reason: 'Forbidden', causes: [] });
    await assert.rejects(endpoints(new StubClient({ slice, minors: { [CONFIGURED]: '36' } })), /forbidden/);
  });

  for (const [minor, build] of [
    ['', ''],
    ['', 'v0.0.0-master+$Format:%H$'],
    ['+', 'v2.3'],
    ['x', 'unknown'],
  ] as const) {
    const world = {
      slice: slice(['10.0.0.1', '10.0.0.2']),
      minors: { 'https://10.0.0.1:6443': '36', 'https://10.0.0.2:6443': minor, [CONFIGURED]: minor },
      builds: { 'https://10.0.0.2:6443': build, [CONFIGURED]: build },
    };

    it(`counts a server that answers without a version (${JSON.stringify([minor, build])}), and fails to tell its version`, async () => {
      const client = new StubClient(world);
      assert.equal((await endpoints(client)).length, 2);
      const text = /the API server at https:\/\/10\.0\.0\.2:6443 does not report its Kubernetes version/;
      await assert.rejects(askServers(client), text);
      await assert.rejects(askServers(client, new Map([['https://10.0.0.2:6443', 35]])), text);
    });

    it(`fails for such a server behind a load balancer: ${JSON.stringify([minor, build])}`, async () => {
      await assert.rejects(
        askServers(new StubClient({ ...world, slice: slice([]) })),
        /the API server at https:\/\/cluster/,
      );
    });
  }

  it('fails when nobody answers', async () => {
    await assert.rejects(askServers(new StubClient({ minors: {} })), /no answer from/);
  });
});

describe('askServers, with the earlier result,', () => {
  const [ONE, OTHER] = ['https://10.0.0.1:6443', 'https://10.0.0.2:6443'];
  const cases: [title: string, world: World, before: Record<string, number>, after: Record<string, number>][] = [
    [
      'keeps the version of a server that is published but silent',
      { slice: slice(['10.0.0.1', '10.0.0.2']), minors: { [OTHER]: '36' } },
      { [ONE]: 34, [OTHER]: 36 },
      { [ONE]: 34, [OTHER]: 36 },
    ],
    [
      'drops a server that is no longer published',
      { slice: slice(['10.0.0.2']), minors: { [OTHER]: '36' } },
      { [ONE]: 34, [OTHER]: 36 },
      { [OTHER]: 36 },
    ],
    [
      'trusts a server that was replaced at the same address',
      { slice: slice(['10.0.0.1', '10.0.0.2']), minors: { [ONE]: '36', [OTHER]: '36' } },
      { [ONE]: 34, [OTHER]: 36 },
      { [ONE]: 36, [OTHER]: 36 },
    ],
    [
      'knows nothing about a server that never answered',
      { slice: slice(['10.0.0.1', '10.0.0.2']), minors: { [OTHER]: '36' } },
      {},
      { [OTHER]: 36 },
    ],
    [
      'uses the configured address when all are silent, since they cannot be reached any more',
      { slice: slice(['10.0.0.1']), minors: { [CONFIGURED]: '36' } },
      { [ONE]: 34 },
      { [CONFIGURED]: 36 },
    ],
  ];
  for (const [title, world, before, after] of cases) {
    it(title, async () => {
      const known: ServerMinors = new Map(Object.entries(before));
      assert.deepEqual(Object.fromEntries(await askServers(new StubClient(world), known)), after);
    });
  }
});
