/** Restores etcd with etcdutl. If etcdutl is not in the cache, it is built from its Go module. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { REPRODUCIBLE } from './build.ts';
import { findProgram } from './program.ts';

/**
 * The path of etcdutl. If etcdutl is missing, the function builds etcdutl, which takes about two minutes on two cores.
 *
 * @throws an error if Go is missing
 */
export async function findEtcdutl(environment: NodeJS.ProcessEnv = process.env): Promise<string> {
  const etcdutl = {
    name: 'etcdutl',
    module: join(import.meta.dirname, 'etcdutl'),
    of: 'go.etcd.io/etcd/etcdutl/v3',
    flags: () => [...REPRODUCIBLE, '-ldflags', '-s -w'],
    minutes: 2,
  };
  return findProgram(etcdutl, environment);
}

interface Restore {
  /** The file of a stopped etcd with its objects. */
  readonly db: string;
  /** The folder in which etcd will have its data. It must not exist. */
  readonly dataDir: string;
  /** The number that is added to the revision of the file. */
  readonly bumpRevision: number;
}

/** Runs `etcdutl snapshot restore` with `--bump-revision` and `--mark-compacted`. @throws an error if it fails */
export function restoreEtcd(etcdutl: string, { db, dataDir, bumpRevision }: Restore): void {
  // The file is no snapshot that etcd sent, so it has no hash.
  const flags = ['--skip-hash-check', '--data-dir', dataDir, '--bump-revision', `${bumpRevision}`, '--mark-compacted'];
  execFileSync(etcdutl, ['snapshot', 'restore', db, ...flags], { stdio: 'pipe' });
}
