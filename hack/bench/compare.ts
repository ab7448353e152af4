/** Part (p) of the bench measures `cappol compare` for two different sets of policies, and for two equal sets. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { COMPARED, SAME } from './compare-topologies.ts';
import { measureCommand, type Ran } from './measured-command.ts';
import { shown } from './numbers.ts';
import type { Table } from './table.ts';
import type { NamedSpec } from './topology-policies.ts';

interface Measured {
  readonly topology: string;
  readonly ran: Omit<Ran, 'stdout'>;
  readonly opens: number;
  readonly closes: number;
  readonly undecided: number;
}

const ROOT = join(import.meta.dirname, '..', '..');
const CAPPOL = join(ROOT, 'dist', 'cappol', 'main.mjs');
/** The maximum time and memory that a comparison of 50 policies with 50 policies may take. */
const LIMIT = { seconds: 5, mebibytes: 500 };

/** @param policies the number of policies in each set */
export async function comparisons(policies: number): Promise<Table> {
  execFileSync('npm', ['run', 'build', '--silent'], { cwd: ROOT, stdio: 'inherit' });
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  try {
    const measured: Measured[] = [];
    for (const topology of Object.keys(COMPARED)) measured.push(await measure(topology, policies, folder));
    return tableOf(policies, measured);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function measure(topology: string, policies: number, folder: string): Promise<Measured> {
  const sets = COMPARED[topology]?.(policies);
  if (!sets) throw new Error(`there is no topology ${topology}`);
  const [old, now] = [write(join(folder, 'old.yaml'), sets.old), write(join(folder, 'new.yaml'), sets.new)];
  const args = [CAPPOL, 'compare', old, now, '-o', 'json'];
  const { stdout, ...ran } = await measureCommand({ program: process.execPath, args }, folder);
  const { opens, closes, undecided } = JSON.parse(stdout) as Record<string, readonly unknown[]>;
  const count = (list: readonly unknown[] = []) => list.length;
  return { topology, ran, opens: count(opens), closes: count(closes), undecided: count(undecided) };
}

function write(path: string, policies: readonly NamedSpec[]): string {
  const manifests = policies.map(({ name, spec }) => ({
    apiVersion: 'capabilitypolicy.dev/v1alpha1',
    kind: 'CapabilityPolicy',
    metadata: { name },
    spec,
  }));
  writeFileSync(path, manifests.map((one) => JSON.stringify(one)).join('\n---\n'));
  return path;
}

function tableOf(policies: number, measured: readonly Measured[]): Table {
  const same = measured.find(({ topology }) => topology === SAME)?.ran.cpuSeconds ?? Number.NaN;
  return {
    title: `(p) Comparing ${policies} policies with ${policies} policies`,
    columns: [
      'topology',
      'seconds',
      'CPU seconds',
      `without those of ${SAME}`,
      'peak RSS in MiB',
      'opens',
      'closes',
      'not decided',
    ],
    rows: measured.map(({ topology, ran, opens, closes, undecided }) => [
      topology,
      shown(ran.seconds),
      shown(ran.cpuSeconds),
      shown(ran.cpuSeconds - same),
      ran.rssMiB.toFixed(0),
      ...[opens, closes, undecided].map(String),
    ]),
    notes: [
      `Each comparison is a separate process, measured from its start to its end. Wanted: ${LIMIT.seconds} s and ${LIMIT.mebibytes} MiB for 50 policies.`,
    ],
    measured,
  };
}
