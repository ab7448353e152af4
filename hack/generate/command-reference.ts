/** Makes docs/reference/cappol.md, the reference page of the commands, from the output of --help. */
import { Readable, Writable } from 'node:stream';
import type { Io } from '../../cli/command.ts';
import { createProgram, run } from '../../cli/program.ts';

const HEAD = `# cappol

<!-- Written by \`npm run generate\` from cli/. Do not edit. -->

The command line of CapabilityPolicy, also as \`kubectl cappol\`. Every section is the output of \`--help\`.

JSON of \`check\`: [check.schema.json](check.schema.json), and of what a policy would change:
[check-changes.schema.json](check-changes.schema.json). JSON of \`fix\`: [fix.schema.json](fix.schema.json).
JSON of \`explain NAME --cluster\`: [explain.schema.json](explain.schema.json). JSON of \`compare\`:
[compare.schema.json](compare.schema.json), and about one set:
[compare-findings.schema.json](compare-findings.schema.json).
JSON of \`status -o compliance-json\`: [compliance.schema.json](compliance.schema.json). The document of \`snapshot\`:
[snapshot.schema.json](snapshot.schema.json).
`;

export async function commandReference(): Promise<string> {
  const { commands } = createProgram(silent(), () => {});
  const pages = [[], ...commands.map((command) => [command.name()])].map(async (args) => {
    const title = ['cappol', ...args].join(' ');
    return `## ${title}\n\n\`\`\`text\n${(await helpText(args)).trimEnd()}\n\`\`\`\n`;
  });
  return [HEAD, ...(await Promise.all(pages))].join('\n');
}

/** The output of `cappol ARGS --help` with 100 columns. */
async function helpText(args: readonly string[]): Promise<string> {
  let text = '';
  const stdout = new Writable({
    write(chunk, _encoding, done) {
      text += chunk;
      done();
    },
  });
  await run([...args, '--help'], { ...silent(), stdout });
  return text;
}

function silent(): Io {
  const nowhere = () => new Writable({ write: (_chunk, _encoding, done) => done() });
  const signal = new AbortController().signal;
  return { stdin: Readable.from([]), stdout: nowhere(), stderr: nowhere(), env: {}, cwd: '.', signal };
}
