/**
 * The interface between a cappol command and the program. A command declares its options when the program starts, but
 * loads its code only when the command runs.
 */
import type { Readable, Writable } from 'node:stream';
import type { Command } from 'commander';

/** A file or folder that a search in a folder found. */
export interface FolderEntry {
  /** The absolute path of the file or folder. */
  readonly path: string;
  /** The path as messages show it to the user. */
  readonly name: string;
  readonly isFolder: boolean;
}

/** The environment of a command: its streams, variables and signals. Only main.ts accesses the process itself. */
export interface Io {
  readonly stdin: Readable;
  readonly stdout: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  readonly stderr: Writable & { readonly isTTY?: boolean };
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Decides which files and folders a command with --exclude leaves out. */
  readonly leftOut?: { leavesOut(entry: FolderEntry): boolean };
  /** The signal is aborted when the process receives SIGINT or SIGTERM. */
  readonly signal: AbortSignal;
}

/**
 * The exit codes. 0: everything is compliant, or the work is done. 1: there are violations or differences. 2: the
 * input, the cluster or the command line is wrong.
 */
export type ExitCode = 0 | 1 | 2;

/**
 * Adds a command to the program. The action of a command must call `finish(code)` at its end. An error that the action
 * throws is printed as one line, with exit code 2.
 */
export type RegisterCommand = (program: Command, io: Io, finish: (code: ExitCode) => void) => void;

/**
 * An error for users, with a message of one line. The message names the place of the problem, the problem itself, and
 * what the user can do. The error is printed without a stack trace.
 */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
