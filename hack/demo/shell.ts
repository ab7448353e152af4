/** Runs kubectl like a user, and shows each command and its output. */
import { spawn } from 'node:child_process';
import type { DemoCluster } from './cluster.ts';
import { ROOT } from './cluster.ts';

interface Ran {
  readonly ok: boolean;
  /** The output on standard output and standard error, in the order in which it was written. */
  readonly output: string;
}

const [BOLD, DIM, RED, GREEN, OFF] = process.stdout.isTTY
  ? ['\x1b[1m', '\x1b[2m', '\x1b[31m', '\x1b[32m', '\x1b[0m']
  : ['', '', '', '', ''];

export class Shell {
  readonly #cluster: Pick<DemoCluster, 'kubeconfig' | 'kubectl'>;

  constructor(cluster: Pick<DemoCluster, 'kubeconfig' | 'kubectl'>) {
    this.#cluster = cluster;
  }

  heading(text: string): void {
    console.log(`\n${BOLD}${text}${OFF}`);
  }

  /**
   * Shows the command line `text` and runs it. The line must begin with `kubectl`. Arguments with spaces must be in
   * single quotes.
   */
  async show(text: string, input?: string): Promise<Ran> {
    const heredoc = input === undefined ? '' : ` <<'EOF'\n${input.trim()}\nEOF`;
    console.log(`\n${DIM}$${OFF} ${text}${heredoc}`);
    const ran = await this.run(words(text).slice(1), input);
    const color = ran.ok ? '' : RED;
    process.stdout.write(`${color}${ran.output}${OFF}`);
    return ran;
  }

  /** Shows and runs a command. The command must succeed if `ok` is true, and must fail if `ok` is false. */
  async expect(ok: boolean, text: string, input?: string): Promise<Ran> {
    const ran = await this.show(text, input);
    if (ran.ok !== ok) throw new Error(`${text} should have ${ok ? 'succeeded' : 'been refused'}`);
    if (!ok) console.log(`${GREEN}✔ refused${OFF}`);
    return ran;
  }

  /** Runs kubectl, and shows neither the command nor its output. */
  async run(args: readonly string[], input?: string): Promise<Ran> {
    const env = { ...process.env, KUBECONFIG: this.#cluster.kubeconfig };
    const child = spawn(this.#cluster.kubectl, args, { cwd: ROOT, env, stdio: ['pipe', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (text: Buffer) => {
        output += text;
      });
    }
    child.stdin.end(input ?? '');
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    return { ok: code === 0, output };
  }
}

function words(text: string): string[] {
  return [...text.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
}
