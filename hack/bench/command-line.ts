/**
 * Part (g) of the bench compares `cappol check` with a program that only parses the manifests, and with the command
 * lines of other engines.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Manifests, writeFiles, writeStream } from './manifests.ts';
import { type Command, measureCommand, type Ran } from './measured-command.ts';
import type { Usage } from './measured-process.ts';
import { ratio, shown, spreadOf } from './numbers.ts';
import { OTHER_TOOLS, type OtherTool } from './other-tools.ts';
import type { Table } from './table.ts';

interface CommandLineOptions {
  /** The numbers of manifests to check. Each number is measured separately. */
  readonly sizes: readonly number[];
  /** Whether gator and Kyverno's command line are measured, too. */
  readonly otherTools: boolean;
}

interface Measured {
  readonly input: string;
  readonly by: string;
  readonly manifests: Manifests;
  readonly usage: Usage;
  /**
   * The time and memory of a program that only parses the manifests, in the same run. `whole` parses all manifests at
   * once, if possible. `each` parses one manifest after another.
   */
  readonly whole?: Usage;
  readonly each: Usage;
}

const ROOT = join(import.meta.dirname, '..', '..');
const CAPPOL = join(ROOT, 'dist', 'cappol', 'main.mjs');
const PARSE = join(import.meta.dirname, 'parse-yaml.ts');
const STREAM = 'one stream';
/** The number of repetitions. The median is reported. */
const RUNS = 5;
/** The maximum number of manifests that are parsed at once. More manifests would not fit into Node's memory. */
const MOST_AT_ONCE = 20_000;
/** The maximum number of manifests for other engines. More manifests would take minutes and gigabytes. */
const MOST_OF_OTHER_TOOLS = 10_000;

const RESTRICTED = { level: 'restricted' };
/**
 * A policy that contains only the capability rules of the level restricted. The policies of the other engines make the
 * same checks.
 */
const CAPABILITIES = {
  level: 'privileged',
  overrides: { privileged: true, capabilities: { allowedAdd: ['NET_BIND_SERVICE'], requiredDrop: ['ALL'] } },
};

export async function commandLine({ sizes, otherTools }: CommandLineOptions): Promise<Table> {
  execFileSync('npm', ['run', 'build', '--silent'], { cwd: ROOT, stdio: 'inherit' });
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  try {
    const bench = new CommandLine(folder, otherTools ? OTHER_TOOLS : []);
    const start = await bench.start();
    const measured: Measured[] = [];
    for (const size of sizes) measured.push(...(await bench.all(size)));
    return tableOf(measured, start);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

class CommandLine {
  readonly #folder: string;
  readonly #otherTools: readonly OtherTool[];

  constructor(folder: string, otherTools: readonly OtherTool[]) {
    this.#folder = folder;
    this.#otherTools = otherTools;
  }

  /** The time in seconds of a whole run that checks one manifest. */
  async start(): Promise<number> {
    const one = writeStream(join(this.#folder, 'one.yaml'), 1);
    const command = check(one.path, this.#policy(RESTRICTED));
    const seconds: number[] = [];
    for (let run = 0; run < RUNS; run++) seconds.push((await measureCommand(command, this.#folder)).seconds);
    return spreadOf(seconds).p50;
  }

  async all(size: number): Promise<Measured[]> {
    const stream = writeStream(join(this.#folder, 'stream.yaml'), size);
    const inStream = await this.#measure(STREAM, stream, stream);
    if (size > MOST_OF_OTHER_TOOLS) return inStream;
    const files = writeFiles(join(this.#folder, `files-${size}`), size);
    return [...inStream, ...(await this.#measure('files', files, stream))];
  }

  /**
   * Runs the measured programs in turns, so that other load on the machine affects all programs alike.
   * @param text all manifests of the parameter `manifests`, in one stream
   */
  async #measure(input: string, manifests: Manifests, text: Manifests): Promise<Measured[]> {
    const { path, count, violating } = manifests;
    const whole = count > MOST_AT_ONCE ? undefined : parse('whole', text.path);
    const commands: (readonly [string, Command, (stdout: string) => number])[] = [
      ...(whole ? [['whole', whole, documents] as const] : []),
      ['each', parse('each', path), documents],
      ['cappol check', check(path, this.#policy(RESTRICTED)), violatingIn],
      ...(this.#otherTools.length > 0 && input === STREAM && count <= MOST_OF_OTHER_TOOLS
        ? [
            ['cappol check, capabilities', check(path, this.#policy(CAPABILITIES)), violatingIn] as const,
            ...this.#otherTools.map(
              (tool) => [tool.name, tool.command(path), (stdout: string) => tool.refused(stdout).size] as const,
            ),
          ]
        : []),
    ];
    const all = new Map<string, Ran[]>();
    for (let run = 0; run < (count > MOST_AT_ONCE ? 1 : RUNS); run++) {
      for (const [name, command, found] of commands) {
        const ran = await measureCommand(command, this.#folder);
        const expected = name === 'whole' || name === 'each' ? count : violating;
        if (found(ran.stdout) !== expected)
          throw new Error(`${name} finds ${found(ran.stdout)} instead of ${expected}`);
        all.set(name, [...(all.get(name) ?? []), ran]);
      }
    }
    const usage = (name: string) => medianOf(all.get(name) ?? []);
    return commands
      .filter(([name]) => name !== 'whole' && name !== 'each')
      .map(([by]) => ({
        input,
        by,
        manifests,
        usage: usage(by),
        ...(whole && { whole: usage('whole') }),
        each: usage('each'),
      }));
  }

  #policy(spec: object): string {
    const policy = {
      apiVersion: 'capabilitypolicy.dev/v1alpha1',
      kind: 'CapabilityPolicy',
      metadata: { name: 'bench' },
      spec: { namespaceSelector: {}, mode: 'Enforce', ...spec },
    };
    const text = JSON.stringify(policy);
    const path = join(this.#folder, `policy-${text.length}.json`);
    writeFileSync(path, text);
    return path;
  }
}

function check(path: string, policy: string): Command {
  return { program: process.execPath, args: [CAPPOL, 'check', '-f', path, '--policy', policy, '-o', 'json'] };
}

function parse(how: 'whole' | 'each', path: string): Command {
  return { program: process.execPath, args: [PARSE, how, path] };
}

function documents(stdout: string): number {
  return Number(stdout.split(' ')[0]);
}

function violatingIn(stdout: string): number {
  return Number(/"violating": (\d+)/.exec(stdout)?.[1]);
}

function medianOf(runs: readonly Usage[]): Usage {
  const median = (field: keyof Usage) => spreadOf(runs.map((run) => run[field])).p50;
  return { seconds: median('seconds'), cpuSeconds: median('cpuSeconds'), rssMiB: median('rssMiB') };
}

function tableOf(measured: readonly Measured[], start: number): Table {
  return {
    title: '(g) Command line: seconds / CPU seconds / peak RSS in MiB',
    columns: [
      'manifests',
      'in',
      'by',
      'js-yaml, at once',
      'js-yaml, one by one',
      'took',
      'time / at once',
      'CPU / at once',
      'CPU / one by one',
    ],
    rows: measured.map(({ manifests, input, by, usage, whole, each }) => [
      String(manifests.count),
      input,
      by,
      whole ? text(whole) : '',
      text(each),
      text(usage),
      whole ? ratio(usage.seconds, whole.seconds) : '',
      whole ? ratio(usage.cpuSeconds, whole.cpuSeconds) : '',
      ratio(usage.cpuSeconds, each.cpuSeconds),
    ]),
    notes: [
      `Deployments of ${Math.round((measured[0]?.manifests.bytes ?? 0) / (measured[0]?.manifests.count ?? 1))} bytes, no two alike, one in 20 violating. The bench fails if the programs find different numbers of violating workloads.`,
      `The figures are medians of ${RUNS} runs. Each run is a separate process, and the programs run in turns.`,
      'The policy has level restricted. In rows with "capabilities" and in rows of other tools, the policy has only the capability rules of level restricted.',
      'At once: js-yaml parses the text as one stream, and all documents are kept.',
      'One by one: js-yaml parses each document or file separately, and no document is kept.',
      `From the start to the end of a check of one manifest: ${shown(start, 's')}.`,
    ],
    measured,
  };
}

function text({ seconds, cpuSeconds, rssMiB }: Usage): string {
  return `${shown(seconds)} / ${shown(cpuSeconds)} / ${rssMiB.toFixed(0)}`;
}
