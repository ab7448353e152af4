/** Defines the program with its commands, and handles their errors. */
import { Command, CommanderError } from 'commander';
import { printable } from '../operator/text/printable.ts';
import { type ExitCode, type Io, type RegisterCommand, UsageError } from './command.ts';
import { registerCheck } from './commands/check/command.ts';
import { registerCompare } from './commands/compare/command.ts';
import { registerCompletion } from './commands/completion/command.ts';
import { registerExplain } from './commands/explain/command.ts';
import { registerFix } from './commands/fix/command.ts';
import { registerMigrate } from './commands/migrate/command.ts';
import { registerObserve } from './commands/observe/command.ts';
import { registerRender } from './commands/render/command.ts';
import { registerReport } from './commands/report/command.ts';
import { registerSnapshot } from './commands/snapshot/command.ts';
import { registerStatus } from './commands/status/command.ts';
import { registerSuggest } from './commands/suggest/command.ts';
import { registerUi } from './commands/ui/command.ts';
import { registerVersion } from './commands/version/command.ts';
import { VERSION } from './version.ts';

/** The commands, in the order in which the help lists them. */
const COMMANDS: readonly RegisterCommand[] = [
  registerCheck,
  registerCompare,
  registerFix,
  registerRender,
  registerSuggest,
  registerExplain,
  registerObserve,
  registerStatus,
  registerUi,
  registerReport,
  registerSnapshot,
  registerMigrate,
  registerCompletion,
  registerVersion,
];

const ABOUT = `Shows which Linux capabilities workloads may hold, which workloads violate policies, and which values the policies accept.

Evaluates manifests and clusters by CapabilityPolicies, exactly as the API server does. Most commands work without a cluster.`;

const EXIT_CODES = `
Exit codes: 0 compliant or done, 1 violations or differences, 2 the input, the cluster or the command line is wrong.`;

interface RunOptions extends Io {
  /** The name by which the user calls the program: `cappol` or `kubectl cappol`. The help shows this name. */
  readonly name?: string;
}

/** Runs one command line. An error is printed as one line on standard error. */
export async function run(args: readonly string[], { name = 'cappol', ...io }: RunOptions): Promise<ExitCode> {
  let code: ExitCode = 0;
  const program = createProgram(io, (result) => {
    code = result;
  });
  program.name(name);
  try {
    await program.parseAsync(args, { from: 'user' });
    return code;
  } catch (error) {
    // Commander has already printed the error.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (!io.signal.aborted) io.stderr.write(`${name}: ${oneLine(error)}\n`);
    return 2;
  }
}

/**
 * Returns the program with all commands and their options. The code of a command is loaded only when the command runs.
 */
export function createProgram(io: Io, finish: (code: ExitCode) => void): Command {
  const program = new Command('cappol')
    .description(ABOUT)
    .version(`cappol ${VERSION}`, '--version', 'the version of cappol')
    .exitOverride()
    .showHelpAfterError('(--help shows examples)')
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      outputError: (text, write) => write(text.replace(/^error: /, 'cappol: ')),
      getOutHelpWidth: () => io.stdout.columns ?? 100,
      getErrHelpWidth: () => 100,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .helpCommand('help [command]', 'what a command does')
    .addHelpText('after', EXIT_CODES);
  for (const register of COMMANDS) register(program, io, finish);
  return program;
}

function oneLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const told = text === '' ? String(error) : text;
  // Only the message of a usage error may have several lines.
  const lines = error instanceof UsageError ? told.split('\n') : [told.replaceAll(/\s*\n\s*/g, ' ')];
  return lines.map(printable).join('\n');
}
