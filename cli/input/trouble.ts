import { printable } from '../../operator/report/text.ts';

/** A problem with some input: it is reported, and the rest goes on. */
export interface Trouble {
  /** The path as the user wrote it; `-` is standard input. */
  readonly file: string;
  readonly line?: number;
  readonly message: string;
  /** The default is an error; a warning does not fail the command. */
  readonly severity?: 'error' | 'warning';
}

/** `deploy/web.yaml:12: not YAML: …` */
export function troubleText({ file, line, message, severity }: Trouble): string {
  const name = file === '-' ? 'standard input' : file;
  const place = `${name}${line === undefined ? '' : `:${line}`}`;
  return printable(`${place}: ${severity === 'warning' ? 'warning: ' : ''}${message}`);
}
