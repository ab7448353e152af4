/**
 * Reads the examples in the help of the commands. The examples have the form in which users paste them into a shell.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { commandReference } from '../../hack/generate/command-reference.ts';
import { reader } from '../docs/pasted.ts';
import { ROOT } from '../support/page.ts';

const BIN = join(ROOT, 'bin');

interface PastedExample {
  readonly command: string;
  readonly paste: string;
  /** Whether the example needs a cluster, or a node of a cluster. */
  readonly needsCluster: boolean;
}

export async function examples(): Promise<PastedExample[]> {
  const pages = (await commandReference()).split(/^## cappol ?/m).slice(2);
  return pages.flatMap((page) => {
    const [command = ''] = page.split('\n');
    const [, section = ''] = page.split(/^Examples:\n/m);
    return section
      .replace(/\n```\s*$/, '\n')
      .split(/^# .*\n/m)
      .slice(1)
      .map((paste) => ({
        command,
        paste,
        needsCluster: /--cluster|--diff|kubectl|compare cluster|cappol (status|snapshot|report|ui|observe)/.test(paste),
      }));
  });
}

interface Pasted {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a text in bash in an empty folder. In this shell, the command `cappol` runs the code of this checkout. */
export async function paste(text: string, env: Readonly<Record<string, string>> = {}): Promise<Pasted> {
  const folder = mkdtempSync(join(tmpdir(), 'paste-'));
  try {
    const path = [BIN, env.PATH, reader().PATH].filter((part) => part !== undefined).join(delimiter);
    return await new Promise((resolve) => {
      const options = { cwd: folder, env: { HOME: folder, ...env, PATH: path }, timeout: 120_000 };
      execFile('bash', ['-o', 'pipefail', '-c', text], options, (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
      );
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
