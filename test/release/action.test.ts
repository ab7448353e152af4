/**
 * Tests the GitHub Action. Like a runner of GitHub, the test executes the steps of the action. The steps use the
 * package from this checkout.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { dump, load } from 'js-yaml';
import { commit, git, writeFiles } from '../support/git.ts';
import { ROOT, readPage } from '../support/page.ts';
import { writtenPolicy } from '../support/policies.ts';
import { sarifRun } from '../support/sarif.ts';
import { cleanEnvironment, newFolder, packedPackage } from './packed.ts';

interface Step {
  readonly id?: string;
  readonly if?: string;
  readonly uses?: string;
  readonly with?: Readonly<Record<string, string>>;
  readonly run?: string;
  readonly shell?: string;
  readonly env?: Readonly<Record<string, string>>;
}

interface Action {
  readonly inputs: Readonly<Record<string, { readonly default: string }>>;
  readonly outputs: Readonly<Record<string, { readonly value: string }>>;
  readonly runs: { readonly using: string; readonly steps: readonly Step[] };
}

interface Ran {
  readonly code: number;
  readonly output: string;
  readonly summary: string;
  readonly outputs: Readonly<Record<string, string>>;
  /**
   * The calls of other actions in this project's GitHub Action. Each call has the inputs of the called action.
   */
  readonly used: readonly Pick<Step, 'uses' | 'with'>[];
}

interface Workflow {
  readonly jobs: Readonly<Record<string, { readonly steps: readonly Step[] }>>;
}

const { version: VERSION } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
const STRICT = dump(writtenPolicy('all', { level: 'privileged', overrides: { hostNetwork: false } }));
const OPEN = dump(writtenPolicy('all', { level: 'privileged' }));
const COMPLIANT = `apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
  containers:
    - {name: web, image: web, securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}}
`;
const VIOLATING =
  'apiVersion: v1\nkind: Pod\nmetadata: {name: ping}\nspec: {containers: [{name: ping, image: ping}]}\n';

describe('the GitHub Action', function () {
  this.timeout(180_000);
  const action = load(readFileSync(join(ROOT, 'action.yml'), 'utf8')) as Action;
  const comments: { id: number; body: string }[] = [];
  let api: Server;
  let refuses = false;

  before(async () => {
    api = createServer(async (request, response) => {
      const answer = (status: number, body: unknown) => response.writeHead(status).end(JSON.stringify(body));
      if (refuses || request.headers.authorization !== 'Bearer secret') return answer(403, { message: 'not allowed' });
      const { body = '' } = request.method === 'GET' ? {} : JSON.parse(await text(request));
      if (request.method === 'POST') comments.push({ id: comments.length + 1, body });
      const changed = comments.find(({ id }) => request.url === `/repos/team/app/issues/comments/${id}`);
      if (request.method === 'PATCH' && changed) changed.body = body;
      return answer(200, request.method === 'GET' ? comments : {});
    });
    await once(api.listen(0, '127.0.0.1'), 'listening');
  });
  after(() => api?.close());

  it('action.yml pins each used action by its commit, and states the version next to the commit', () => {
    const uses = [...readFileSync(join(ROOT, 'action.yml'), 'utf8').matchAll(/uses: (.*)$/gm)];
    assert.equal(uses.length, 2);
    for (const [, what = ''] of uses) assert.match(what, /^[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  });

  it('the action reads inputs only from the environment, so that no input is run as a script', () => {
    for (const { run = '' } of action.runs.steps) assert.doesNotMatch(run, /\$\{\{/);
  });

  it('the action fails on violations, annotates the violations, uploads SARIF, and comments on the pull request', async () => {
    const { code, output, summary, outputs, used } = await run(VIOLATING, { level: 'restricted' });
    assert.equal(code, 1, output);
    assert.match(output, /^::error file=pod.yaml,line=\d+,.*must drop capability ALL/m);
    assert.match(summary, /^### CapabilityPolicy/m);
    assert.equal(outputs['exit-code'], '1');
    const upload = used.find(({ uses }) => uses?.startsWith('github/codeql-action/upload-sarif@'));
    const sarif = JSON.parse(readFileSync(upload?.with?.sarif_file ?? '', 'utf8'));
    assert.equal(sarif.version, '2.1.0');
    assert.ok(sarif.runs[0].results.length > 0);
    assert.equal(comments.length, 1);
    assert.match(comments[0]?.body ?? '', /must drop capability ALL/);
  });

  it('the action passes if all pods comply, and updates its comment instead of adding another comment', async () => {
    comments.unshift({ id: 99, body: 'of somebody' });
    const { code, output } = await run(COMPLIANT, { level: 'restricted' });
    assert.equal(code, 0, output);
    assert.deepEqual(
      comments.map(({ id }) => id),
      [99, 1],
    );
    assert.equal(comments[0]?.body, 'of somebody');
    assert.doesNotMatch(comments[1]?.body ?? '', /must drop/);
  });

  it('the action passes all inputs to cappol unchanged, whatever the inputs contain', async () => {
    const inputs = { files: 'pod.yaml\n$(touch made).yaml', policy: join(ROOT, 'config/samples/restricted.yaml') };
    const { code, output } = await run(COMPLIANT, {
      ...inputs,
      arguments: '--namespace-labels\nenvironment=production',
    });
    assert.equal(code, 2);
    assert.match(output, /\$\(touch made\)\.yaml: no such file or folder/);
  });

  it('the action does not fail if it may not comment, for example on a pull request from a fork', async () => {
    refuses = true;
    const { code, output } = await run(COMPLIANT, { level: 'restricted' });
    assert.equal(code, 0, output);
    assert.match(output, /^::warning::cappol could not comment on the pull request: GET .*403/m);
  });

  it('the action neither uploads nor comments if its inputs switch off both', async () => {
    const { code, used } = await run(VIOLATING, { level: 'restricted', sarif: 'false', comment: 'false' });
    assert.equal(code, 1);
    assert.deepEqual(
      used.map(({ uses = '' }) => uses.split('@')[0]),
      ['actions/setup-node'],
    );
  });

  describe('with the workflow of docs/compare.md', () => {
    const [workflow] = readPage('docs/compare.md')
      .blocks.filter(({ info, text }) => info[0] === 'yaml' && /^jobs:/m.test(text))
      .map(({ text }) => load(text) as Workflow);
    const steps = Object.values(workflow?.jobs ?? {}).flatMap((job) => job.steps);

    it('the workflow checks out the merge with its first parent, and then uses this action', () => {
      const [checkout, action, ...others] = steps;
      assert.match(checkout?.uses ?? '', /^actions\/checkout@v\d+$/);
      assert.deepEqual(checkout?.with, { 'fetch-depth': 2 });
      assert.equal(action?.uses, `capabilitypolicy/capabilitypolicy@v${VERSION}`);
      assert.deepEqual(others, []);
    });

    const CASES = [
      { what: 'fails if the pull request opens something', before: STRICT, after: OPEN, code: 1 },
      { what: 'passes if it closes something', before: OPEN, after: STRICT, code: 0 },
      { what: 'passes if nothing changes', before: STRICT, after: STRICT, code: 0 },
      { what: 'fails if the policies cannot be read', before: STRICT, after: 'a: 1\na: 2\n', code: 2 },
    ];
    for (const { what, before, after, code } of CASES) {
      it(what, async () => {
        refuses = false;
        comments.length = 0;
        const ran = await runIn((folder) => pullRequest(folder, before, after), steps[1]?.with ?? {});
        assert.equal(ran.code, code, ran.output);
        assert.equal(/^::error file=policies\/all\.yaml,line=\d+,/m.test(ran.output), code !== 0, ran.output);
        assert.equal(comments.length, 1);
        assert.match(comments[0]?.body ?? '', /^<!-- cappol compare -->\n### CapabilityPolicy: /);
        assert.equal(/the change admits more pods/.test(comments[0]?.body ?? ''), code === 1);
        const upload = ran.used.find(({ uses }) => uses?.startsWith('github/codeql-action/upload-sarif@'));
        assert.equal(upload?.with?.category, 'cappol-compare');
        const { results } = sarifRun(readFileSync(upload?.with?.sarif_file ?? '', 'utf8'));
        assert.equal(results.filter(({ level }) => level === 'error').length, code === 0 ? 0 : 1);
      });
    }

    it('if the checkout is too shallow, the comment says that cappol compare has no result', async () => {
      const ran = await runIn((folder) => commit(folder, { 'policies/all.yaml': STRICT }), steps[1]?.with ?? {});
      assert.equal(ran.code, 2);
      assert.match(ran.output, /git knows no commit HEAD\^1; a shallow clone has only the last ones/);
      assert.match(comments[0]?.body ?? '', /`cappol compare` has no result; the log of the workflow says why/);
    });

    it('fails on what the input fail-on names', async () => {
      const inputs = { ...steps[1]?.with, 'fail-on': 'closes' };
      const { code, output } = await runIn((folder) => pullRequest(folder, OPEN, STRICT), inputs);
      assert.equal(code, 1, output);
    });
  });

  describe('with the workflow about findings of docs/compare.md', () => {
    const UNUSED = `${STRICT}---\n${dump(writtenPolicy('net', { level: 'privileged', overrides: { hostNetwork: false }, usableBy: 'Bindings' }))}`;
    const [step] = readPage('docs/compare.md')
      .blocks.filter(({ info, text }) => info[0] === 'yaml' && /^ *findings: /m.test(text))
      .flatMap(({ text }) => load(text) as Step[]);
    const CASES = [
      { what: 'fails on a policy that opens nothing', policies: UNUSED, code: 1, level: 'error' },
      { what: 'passes if each policy has an effect', policies: STRICT, code: 0 },
      {
        what: 'only warns without fail-on',
        policies: UNUSED,
        inputs: { 'fail-on': '' },
        code: 0,
        level: 'warning',
      },
    ];
    for (const { what, policies, inputs, code, level } of CASES) {
      it(what, async () => {
        refuses = false;
        comments.length = 0;
        const given = { ...step?.with, ...inputs };
        const ran = await runIn((folder) => writeFiles(folder, { 'policies/all.yaml': policies }), given);
        assert.equal(ran.code, code, ran.output);
        const [, found] =
          /^::(error|warning) file=policies\/all\.yaml,line=\d+,title=opens nothing::/m.exec(ran.output) ?? [];
        assert.equal(found, level, ran.output);
        assert.match(
          comments[0]?.body ?? '',
          /^<!-- cappol findings -->\n### CapabilityPolicy: `policies: (1|no) finding about /,
        );
        const upload = ran.used.find(({ uses }) => uses?.startsWith('github/codeql-action/upload-sarif@'));
        assert.equal(upload?.with?.category, 'cappol-findings');
        const { results } = sarifRun(readFileSync(upload?.with?.sarif_file ?? '', 'utf8'));
        assert.deepEqual(
          results.map((result) => [result.level, result.ruleId]),
          level === undefined ? [] : [[level, 'opens-nothing']],
        );
      });
    }
  });

  function run(manifest: string, given: Readonly<Record<string, string>>): Promise<Ran> {
    return runIn((workspace) => writeFileSync(join(workspace, 'pod.yaml'), manifest), given);
  }

  async function runIn(fill: (workspace: string) => void, given: Readonly<Record<string, string>>): Promise<Ran> {
    const folder = newFolder('action');
    const [workspace, temporary] = [join(folder, 'workspace'), join(folder, 'temporary')];
    for (const path of [workspace, temporary]) mkdirSync(path);
    fill(workspace);
    writeFileSync(join(folder, 'event.json'), JSON.stringify({ pull_request: { number: 7 } }));
    const inputs = { package: packedPackage(), token: 'secret', ...given };
    return new Runner(action, inputs, {
      folder,
      environment: {
        ...cleanEnvironment(folder),
        RUNNER_TEMP: temporary,
        GITHUB_API_URL: `http://127.0.0.1:${(api.address() as AddressInfo).port}`,
        GITHUB_REPOSITORY: 'team/app',
        GITHUB_EVENT_PATH: join(folder, 'event.json'),
        GITHUB_STEP_SUMMARY: join(folder, 'summary'),
      },
    }).run(workspace);
  }
});

/** A checkout of the commit that merges a pull request. */
function pullRequest(folder: string, before: string, after: string): void {
  commit(folder, { 'policies/all.yaml': before });
  git(folder, 'checkout', '--quiet', '-b', 'change');
  commit(folder, { 'policies/all.yaml': after, 'README.md': 'The change.\n' });
  git(folder, 'checkout', '--quiet', '-');
  git(folder, 'merge', '--quiet', '--no-ff', '--message', 'merge', 'change');
}

/**
 * Executes a composite action like a runner of GitHub. The class has only the features of a runner that the action of
 * this project uses.
 */
class Runner {
  readonly #action: Action;
  readonly #values = new Map<string, string>();
  readonly #folder: string;
  readonly #environment: NodeJS.ProcessEnv;

  constructor(
    action: Action,
    inputs: Readonly<Record<string, string>>,
    { folder, environment }: { readonly folder: string; readonly environment: NodeJS.ProcessEnv },
  ) {
    this.#action = action;
    this.#folder = folder;
    this.#environment = environment;
    for (const [name, { default: value }] of Object.entries(action.inputs)) this.#values.set(`inputs.${name}`, value);
    for (const [name, value] of Object.entries(inputs)) this.#values.set(`inputs.${name}`, value);
    this.#values.set('github.action_path', ROOT);
    this.#values.set('github.event_name', 'pull_request');
  }

  async run(workspace: string): Promise<Ran> {
    const used: Pick<Step, 'uses' | 'with'>[] = [];
    let output = '';
    let code = 0;
    for (const step of this.#action.runs.steps) {
      if (code !== 0 || !this.#holds(step.if)) continue;
      if (step.uses !== undefined) used.push({ uses: step.uses, with: this.#filledIn(step.with) });
      else {
        const ran = await this.#execute(step, workspace);
        output += ran.output;
        code = ran.code;
      }
    }
    const outputs = Object.fromEntries(
      Object.entries(this.#action.outputs).map(([name, { value }]) => [name, this.#text(value)]),
    );
    return { code, output, summary: readFileSync(join(this.#folder, 'summary'), 'utf8'), outputs, used };
  }

  async #execute({ id, run = '', shell, env }: Step, cwd: string): Promise<{ code: number; output: string }> {
    assert.equal(shell, 'bash');
    const file = join(this.#folder, 'output');
    writeFileSync(file, '');
    // GitHub runs bash with these flags:
    // https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#defaultsrunshell
    const child = spawn('bash', ['--noprofile', '--norc', '-eo', 'pipefail', '-c', run], {
      cwd,
      env: { ...this.#environment, ...this.#filledIn(env), GITHUB_OUTPUT: file },
    });
    const closed = once(child, 'close');
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
    const [code] = await closed;
    for (const line of readFileSync(file, 'utf8').split('\n')) {
      const [, name, value = ''] = /^([\w-]+)=(.*)$/.exec(line) ?? [];
      if (name !== undefined) this.#values.set(`steps.${id}.outputs.${name}`, value);
    }
    return { code, output: stdout + stderr };
  }

  #filledIn(values: Readonly<Record<string, string>> = {}): Record<string, string> {
    return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, this.#text(value)]));
  }

  #text(value: unknown): string {
    return String(value).replace(/\$\{\{ ([\w.-]+) \}\}/g, (_, name: string) => this.#values.get(name) ?? '');
  }

  /** Whether a condition such as `a == 'b' && c != 'd'` holds. */
  #holds(condition = ''): boolean {
    const parts = /^(?:\$\{\{ (.*) \}\})?$/.exec(condition)?.[1]?.split(' && ') ?? [];
    return parts.every((part) => {
      const [, name = '', operator, value] = /^([\w.-]+) (==|!=) '(.*)'$/.exec(part) ?? assert.fail(part);
      return ((this.#values.get(name) ?? '') === value) === (operator === '==');
    });
  }
}
