import { type ParseArgsConfig, parseArgs } from 'node:util';

/**
 * Parses the options of an npm script. If the options are `--help` or wrong, the function ends the process before
 * anything else is started.
 *
 * @param name the name of the script, such as `demo`
 * @param parse throws an Error with one line that names the wrong option
 */
export function optionsOrExit<Options extends { readonly help: boolean }>(
  name: string,
  help: string,
  parse: (args: readonly string[]) => Options,
): Options {
  try {
    const options = parse(process.argv.slice(2));
    if (!options.help) return options;
    process.stdout.write(help);
    process.exit();
  } catch (error) {
    process.stderr.write(`npm run ${name}: ${(error as Error).message}\n\n${help}`);
    process.exit(2);
  }
}

/** Like `optionsOrExit`, for a command line that `parseArgs` checks completely. The option `--help` is added. */
export function argumentsOrExit<const Config extends ParseArgsConfig>(name: string, help: string, config: Config) {
  let parsed: unknown;
  optionsOrExit(name, `${help}  -h, --help  print this help\n`, (args) => {
    const options = { ...config.options, help: { type: 'boolean', short: 'h' } } as const;
    const { values, positionals } = parseArgs({ ...config, args: [...args], options });
    parsed = { values, positionals };
    return { help: 'help' in values && values.help === true };
  });
  return parsed as ReturnType<typeof parseArgs<Config>>;
}
