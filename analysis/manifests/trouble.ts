/** The problems of the input, and their form in the output. */
import { printable } from '../../operator/text/printable.ts';

/** A problem of the input. After a problem, the rest of the input is still processed. */
export interface Trouble {
  /** The path of the file as the user wrote it; `-` for standard input. */
  readonly file: string;
  readonly line?: number;
  readonly message: string;
  /** The severity. The default is `error`. A warning does not make the command fail. */
  readonly severity?: 'error' | 'warning';
}

/** A problem as text, such as `deploy/web.yaml:12: not YAML: …`. */
export function troubleText({ severity, message, ...place }: Trouble): string {
  return printable(`${troublePlace(place)}: ${severity === 'warning' ? 'warning: ' : ''}${message}`);
}

/** The position of a problem as text, such as `deploy/web.yaml:12`. */
export function troublePlace({ file, line }: Pick<Trouble, 'file' | 'line'>): string {
  const name = file === '-' ? 'standard input' : file;
  return `${name}${line === undefined ? '' : `:${line}`}`;
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or folder',
  EACCES: 'no permission to read the file or folder',
  EPERM: 'no permission to read the file or folder',
  ELOOP: 'a link that leads back to itself',
  ERR_ENCODING_INVALID_ENCODED_DATA: 'not UTF-8 text',
};

/**
 * The message of the operating system, without the system call and without the path. The problem already names the
 * path.
 */
export function reason(error: unknown): string {
  const { code = '', message } = error as NodeJS.ErrnoException;
  return REASONS[code] ?? message.replace(/^[A-Z0-9_]+: /, '').split('\n')[0] ?? '';
}
