/** What is wrong with some input: it is told, and the rest goes on. */
export interface Trouble {
  /** As it was named; `-` is standard input. */
  readonly file: string;
  readonly line?: number;
  readonly message: string;
}

/** `deploy/web.yaml:12: not YAML: …` */
export function troubleText({ file, line, message }: Trouble): string {
  const name = file === '-' ? 'standard input' : file;
  // Whatever stands in a manifest, a terminal must not obey it.
  return `${name}${line === undefined ? '' : `:${line}`}: ${message}`.replaceAll(/\p{Cc}/gu, '\ufffd');
}
