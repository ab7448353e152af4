/**
 * The interface of a cappol command. A command declares its options when the program starts, and loads its code only
 * when the command runs.
 */
import type { Readable, Writable } from 'node:stream';
import type { Command } from 'commander';

/** A file or folder that was found in a folder. */
export interface FolderEntry {
  /** The absolute path. */
  readonly path: string;
  /** The path as messages show it to the user. */
  readonly name: string;
  readonly isFolder: boolean;
}

/** The outside world of a command; only main.ts uses the process. */
export interface Io {
  readonly stdin: Readable;
  readonly stdout: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  readonly stderr: Writable & { readonly isTTY?: boolean };
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Decides what a command with --exclude leaves out of folders. */
  readonly leftOut?: { leavesOut(entry: FolderEntry): boolean };
  /** Aborted by SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
}

/**
 * 0: compliant or done. 1: there are violations or differences. 2: the input, the cluster or the command line is wrong.
 */
export type ExitCode = 0 | 1 | 2;

/**
 * Adds a command to the program. The action of a command ends by calling `finish(code)`. An error that the action
 * throws is printed as one line, with exit code 2.
 */
export type RegisterCommand = (program: Command, io: Io, finish: (code: ExitCode) => void) => void;

/**
 * An error for people: one line that says where the problem is, what it is, and what to do. The error is printed
 * without a stack.
 */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
