/** A Git repository on the local disk, from which Argo CD reads. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Maps a file's path to its content. The content is a text, or a list of objects that become YAML documents. */
export type Files = Readonly<Record<string, string | readonly object[]>>;

const ENVIRONMENT = {
  PATH: process.env.PATH,
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_NAME: 'test',
  GIT_AUTHOR_EMAIL: 'test@example.org',
  GIT_COMMITTER_NAME: 'test',
  GIT_COMMITTER_EMAIL: 'test@example.org',
};

export class Repository {
  readonly #dir: string;

  /** @param parent the folder in which the repository is created */
  constructor(parent: string) {
    this.#dir = mkdtempSync(join(parent, 'repository-'));
    this.#git('init', '--quiet', '--initial-branch=main');
  }

  get url(): string {
    return `file://${this.#dir}`;
  }

  /** Makes the repository contain exactly these files. Returns the commit. */
  commit(files: Files): string {
    this.#git('rm', '--quiet', '-r', '--ignore-unmatch', '.');
    for (const [path, content] of Object.entries(files)) {
      const file = join(this.#dir, path);
      mkdirSync(dirname(file), { recursive: true });
      // JSON is valid YAML.
      const text = typeof content === 'string' ? content : content.map((one) => JSON.stringify(one)).join('\n---\n');
      writeFileSync(file, text);
    }
    this.#git('add', '--all');
    this.#git('commit', '--quiet', '--allow-empty', '--message=as the test says');
    return this.#git('rev-parse', 'HEAD').trim();
  }

  /** Reverts the last commit. Returns the new commit. */
  revert(): string {
    this.#git('revert', '--no-edit', 'HEAD');
    return this.#git('rev-parse', 'HEAD').trim();
  }

  remove(): void {
    rmSync(this.#dir, { recursive: true, force: true });
  }

  #git(...args: readonly string[]): string {
    return execFileSync('git', args, { cwd: this.#dir, env: ENVIRONMENT, encoding: 'utf8', stdio: 'pipe' });
  }
}
